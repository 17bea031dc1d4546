"""The HTTP edge: FastAPI on uvicorn; every failure is RFC 9457 problem+json."""
