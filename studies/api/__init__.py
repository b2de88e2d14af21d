"""The REST API. Its contract is the OpenAPI schema at ``schema/``."""
