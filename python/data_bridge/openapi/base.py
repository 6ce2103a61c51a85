"""What all objects of OpenAPI share.

Nothing is compiled before its first use (`defer_build`): who only declares a security scheme pays for that scheme.
"""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """An object of the specification that takes no extensions."""

    model_config = ConfigDict(defer_build=True)


class BaseModelWithConfig(BaseModel):
    """An object of the specification that may be extended (`x-…`, or what a later edition adds)."""

    model_config = ConfigDict(extra="allow", defer_build=True)
