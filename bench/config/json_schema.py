"""Generate the JSON Schema by which editors check a config, with the types that YAML itself would see."""

import json
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from bench.config.schema import ConfigForm

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class _EditorSchema(GenerateJsonSchema):
    """Leaves out titles made from names, and ``None`` for a key that is left out: YAML has neither."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  pydantic's signature
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        generated = super().model_schema(schema)
        generated.pop("title", None)
        return generated

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a config."""
    generated = ConfigForm.model_json_schema(schema_generator=_EditorSchema)
    return {"$schema": _DIALECT, **generated, "title": "flagbench config"}


def schema_text() -> str:
    """Return the JSON Schema as text; ``configs/schema.json`` holds exactly this."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
