"""The bundled semantic validators, one module each; they see only `bps.validation.api`."""
