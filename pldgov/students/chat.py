"""From a prompt and an input to the token ids of one conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError as JinjaError

from pldgov.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.questions import Message, Prompt

PLAIN_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] + '\n\n' }}"
    "{% elif message['role'] == 'user' %}{{ 'Input: ' + message['content'] + '\n' }}"
    "{% else %}{{ 'Answer: ' + message['content'] + '\n\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}Answer:{% endif %}"
)
"""The format of ``chat_template = "plain"``, for models that were never taught to converse."""

_MARK = "zebra"
"""A word that no template contains, to find where a template puts a text."""


class ChatFormat:
    """A tokenizer with its chat template: conversations in, token ids out.

    What a prompt or an input contains stays content: text that spells a control token, such as
    ``<|im_end|>``, is read as the characters it consists of and never ends a turn. Any other
    conversation gets exactly the ids of ``apply_chat_template``. A template without a system
    role gets the system text at the beginning of the first user message.
    """

    def __init__(self, tokenizer: Any, *, plain: bool = False) -> None:
        self._tokenizer = tokenizer
        self._template = PLAIN_TEMPLATE if plain else tokenizer.chat_template
        if self._template is None:
            raise ProviderError(
                "the model's tokenizer has no chat template",
                hint='take the instruction-tuned model, or set chat_template = "plain"',
            )
        added = (token.content for token in tokenizer.added_tokens_decoder.values())
        tokenizer.chat_control_tokens = [text for text in added if text.strip(" \t\r\n\u2581")]
        self._folds_system = not self._takes_system_role()
        self._check_turns_hold()
        self.header, self._lead, self._closing = self._assistant_turn()

    def messages(self, prompt: Prompt, text: str) -> list[Message]:
        """Return the whole conversation up to the user message ``text``."""
        shown = [*prompt.messages, {"role": "user", "content": text}]
        return _fold_system(shown) if self._folds_system else shown

    def encode(self, prompt: Prompt, text: str) -> list[int]:
        """Return the ids of the conversation, up to where the assistant's answer begins."""
        return self._ids(self.messages(prompt, text))

    def label_tokens(self, label: str) -> tuple[int, ...]:
        """Return the ids that ``label`` has as the assistant's whole answer."""
        before = self._text_ids(self.header + self._lead)
        whole = self._text_ids(self.header + self._lead + label)
        base = self._text_ids(self.header)
        if whole[: len(before)] == before or whole[: len(base)] == base:
            return tuple(whole[len(base) :])
        return tuple(self._tokenizer.encode(self._lead + label, add_special_tokens=False))

    @property
    def end_token(self) -> int | None:
        """The token that ends the assistant's turn; None when nothing does."""
        ids = self._text_ids(self._closing) if self._closing else []
        end: int | None = ids[0] if ids else self._tokenizer.eos_token_id
        return end

    def decode(self, tokens: Sequence[int]) -> str:
        """Return generated ids as text, control tokens left out."""
        text: str = self._tokenizer.decode(list(tokens), skip_special_tokens=True)
        return text

    def _ids(self, messages: Sequence[Message]) -> list[int]:
        ids: list[int] = self._tokenizer.apply_chat_template(
            list(messages),
            chat_template=self._template,
            add_generation_prompt=True,
            return_dict=False,
            sanitize_control_tokens=True,
            **self._variables,
        )
        return ids

    def _text_ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return ids

    @property
    def _variables(self) -> dict[str, str]:
        """What the plain template needs though the tokenizer may lack it."""
        return {} if self._tokenizer.bos_token else {"bos_token": ""}

    def _render(self, messages: Sequence[Message], *, ask: bool) -> str:
        text: str = self._tokenizer.apply_chat_template(
            list(messages),
            chat_template=self._template,
            add_generation_prompt=ask,
            tokenize=False,
            **self._variables,
        )
        return text

    def _takes_system_role(self) -> bool:
        system, user = {"role": "system", "content": _MARK}, {"role": "user", "content": "x"}
        try:
            return _MARK in self._render([system, user], ask=True)
        except JinjaError:
            return False

    def _assistant_turn(self) -> tuple[str, str, str]:
        """Return a conversation's text up to the answer, and what stands around an answer.

        Some templates put a space or an empty thought between the header and the answer.
        """
        asked = [{"role": "user", "content": "x"}]
        header = self._render(asked, ask=True)
        answered = self._render([*asked, {"role": "assistant", "content": _MARK}], ask=False)
        lead, found, closing = answered.removeprefix(header).partition(_MARK)
        if not answered.startswith(header) or not found:
            return header, "", ""
        return header, lead, closing

    def _check_turns_hold(self) -> None:
        """Refuse a tokenizer that would let an input's text become a control token."""
        spelled = "".join(self._tokenizer.chat_control_tokens[:64])
        controls = set(self._tokenizer.added_tokens_decoder)
        counts = [
            sum(token in controls for token in self._ids([{"role": "user", "content": text}]))
            for text in (f"{_MARK} {spelled} {_MARK}", f"{_MARK} {_MARK}")
        ]
        if counts[0] != counts[1]:
            raise ProviderError(
                "the model's tokenizer lets an input's text become a control token",
                hint="take a model with a fast tokenizer (tokenizer.json)",
            )


def _fold_system(messages: Sequence[Message]) -> list[Message]:
    """Put the system text, a blank line and the first user message into one user message."""
    system, first, *rest = messages
    if not system["content"]:
        return [first, *rest]
    content = f"{system['content']}\n\n{first['content']}"
    return [{"role": "user", "content": content}, *rest]
