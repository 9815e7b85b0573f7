"""From a rendered prompt to a file of another tool: the inputs, the model, the format's text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pldgov.data.parsing import parse_examples
from pldgov.dataset import Example
from pldgov.endpoint.options import OPENAI_URL
from pldgov.errors import RulebookError, UsageError
from pldgov.exports.dotprompt import render_dotprompt
from pldgov.exports.model import Asked, Export
from pldgov.exports.ollama import render_ollama
from pldgov.exports.openai_chat import render_openai_batch, render_openai_request
from pldgov.exports.promptfoo import render_promptfoo
from pldgov.exports.prompty import render_prompty
from pldgov.exports.user_template import take_apart
from pldgov.students.openai_chat import label_schema
from pldgov.suggest import did_you_mean
from pldgov.templating import PromptEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pldgov.endpoint.chat import ChatOptions
    from pldgov.prompt import PromptBuilder, RenderedPrompt
    from pldgov.rulebook.loading import Revision

FORMATS: Final[Mapping[str, Callable[[Export], str]]] = {
    "openai-request": render_openai_request,
    "openai-batch": render_openai_batch,
    "ollama": render_ollama,
    "prompty": render_prompty,
    "dotprompt": render_dotprompt,
    "promptfoo": render_promptfoo,
}
"""Every export by the name of its format."""

LABELLED: Final = {"promptfoo"}
"""The formats that compare answers with labels."""


def export_prompt(
    revision: Revision,
    rendered: RenderedPrompt,
    builder: PromptBuilder,
    *,
    format: str,  # noqa: A002  (the option's name)
    options: ChatOptions | None = None,
    model: str | None = None,
    examples: Sequence[Example] = (),
) -> str:
    """Return a prompt as the text of a file for another tool.

    ``options`` are those of a student behind a chat endpoint, which the file then asks as pldgov
    does; without them, temperature 0 and answers held to the labels. ``model`` stands above the
    student's own. ``examples`` are the inputs of formats that hold some. Raises ``UsageError`` for
    what the format needs and was not given, ``TemplateError`` and ``DataError`` for what it cannot
    hold.
    """
    rulebook = revision.rulebook
    response_format = label_schema(tuple(rendered.prompt.labels))
    held = options is None or options.structured != "none"
    export = Export(
        prompt=rendered.prompt,
        rulebook=rulebook.name,
        title=rulebook.title,
        fields=rulebook.task.inputs,
        pieces="it shows rules by what the input says"
        if rendered.scoped
        else take_apart(
            _user_sources(revision), fields=rulebook.task.inputs, render=_render_user(builder)
        ),
        schema=response_format["json_schema"]["schema"],
        response_format=response_format if held else None,
        model=model or (options.model if options else None),
        settings=_settings(options),
        base_url=options.base_url if options and options.base_url != OPENAI_URL else None,
        asked=tuple(
            Asked(one.id, builder.user_text(one), one if one.label else None) for one in examples
        ),
    )
    return FORMATS[format](export)


def _user_sources(revision: Revision) -> dict[str, str]:
    """Return the text of the user template and of all that it includes, by name."""
    environment = PromptEnvironment(revision.templates)
    names = environment.templates_used(revision.rulebook.prompt.user_template)
    return {name: revision.templates[name].replace("\r\n", "\n") for name in names}


def _settings(options: ChatOptions | None) -> dict[str, Any]:
    if options is None:
        return {"temperature": 0}
    return {key: value for key, value in options.request_fields.items() if key != "model"}


def _render_user(builder: PromptBuilder) -> Callable[[Mapping[str, str]], str]:
    return lambda inputs: builder.user_text(Example("", inputs, ""))


def read_data(
    data: bytes, *, path: str, inputs: Sequence[str], labelled: bool
) -> Sequence[Example]:
    """Return the examples of a data file; those without a label have an empty one.

    Raises ``RulebookError`` with every error in the file.
    """
    examples, problems = parse_examples(data, path=path, inputs=inputs, labelled=labelled)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise RulebookError(errors)
    return examples


def read_input(given: Sequence[str], *, inputs: Sequence[str]) -> Example:
    """Return the example of ``FIELD=TEXT`` options; raises ``UsageError`` unless complete."""
    values: dict[str, str] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or name not in inputs:
            raise UsageError(
                f"{one!r} is not FIELD=TEXT for a field of the task",
                where="--input",
                hint=did_you_mean(name, inputs) or f"fields: {', '.join(inputs)}",
            )
        values[name] = text
    missing = [name for name in inputs if not values.get(name)]
    if missing:
        raise UsageError(
            f"the task's field {missing[0]!r} has no text",
            where="--input",
            hint=f'add --input {missing[0]}="..."',
        )
    return Example("input", values, "")
