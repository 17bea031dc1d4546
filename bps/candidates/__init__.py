"""The blueprint that is to become canonical: how it is made, and what stands in its way."""
