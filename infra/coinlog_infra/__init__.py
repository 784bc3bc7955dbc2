"""coinlog on AWS as code: one module per part, put together by ``stack``."""
