"""The sections of a recipe, one file each; pydantic checks them."""
