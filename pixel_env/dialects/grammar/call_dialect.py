"""A dialect as a table: its names, its coordinate frame, its names of views, its answers.

What differs between most dialects is a row of such values; here is what they share. The base
writes calls as JSON in `<tool_call>`; a dialect with another syntax replaces `syntax` and
`write_call`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ...actions import answer
from ...declared import as_declaration
from ...episode import OUT_OF_TURNS
from ...errors import ConfigError, OperationError
from ...operations import Argument, Operation, OperationSet, ViewArgument, operations
from ...reading import quoted
from ...types import Action, Info, Observation
from .answers import AnswerStyle
from .arguments import Signature
from .calls import Call
from .coordinates import CoordinateFrame
from .dialect import Dialect, Part, Reading, Shown
from .found_calls import CallSyntax, Rules
from .json_calls import JSONCalls
from .prompts import LAST_TURN, Prompt, question
from .terms import DialectTerms
from .turn import Grammar
from .view_names import ViewNames

TAG = "tool_call"


class CallDialect(Dialect):
    """What dialects share that call an operation by name, with arguments.

    Attributes:
        frame: what the numbers of a box mean.
        views: how views are named.
        answers: how answers are declared.
        syntax: how calls are written.
        rules: what counts where a message holds more than one thing.
        names: by an operation's own name its names here: the first one is written, the others and
            its own are read too; empty where the dialect hasn't the operation. One that isn't
            listed goes by its own name.
        keys: by an argument's own name its names in calls, of any operation; all but the first are
            aliases. One that isn't listed goes by its own name, and one that names a view by
            that of `views`.
        extra: by an operation's own name arguments that mean nothing here, as JSON texts to write.
        how_to_call: begins the refusal of a message that neither calls nor answers.
        form: a call as the system message shows it.
        shows_schemas: whether the system message holds the schemas; else a client hands them over.
        thinks: whether thoughts stand in `<think>`.
        response_tag: what the answer to a call is wrapped in; "" for nothing.
        leaves_checks: whether the environment checks boxes and numbers of views and writes the
            feedback, as its terms are this dialect's.
    """

    frame: CoordinateFrame
    views: ViewNames
    answers: ClassVar[AnswerStyle]
    syntax: ClassVar[CallSyntax] = JSONCalls(TAG)
    rules: ClassVar[Rules] = Rules()
    names: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    keys: ClassVar[Mapping[str, tuple[str, ...]]] = {"bbox": ("bbox_2d",)}
    extra: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    how_to_call: ClassVar[str] = f"Write one call in <{TAG}> tags"
    form: ClassVar[str] = f'<{TAG}>\n{{"name": "...", "arguments": {{...}}}}\n</{TAG}>'
    shows_schemas: ClassVar[bool] = True
    thinks: ClassVar[bool] = True
    response_tag: ClassVar[str] = ""
    leaves_checks: ClassVar[bool] = False
    _signatures: tuple[OperationSet, list[Signature]] | None = None

    @property
    def coordinate_frame(self) -> str:  # type: ignore[override]  # read only here
        """Name of the coordinate frame."""
        return self.frame.name

    def split(self, text: str) -> tuple[Call | None, str]:
        """Returns the call of a message, or None and its answer; see `Grammar.read`.

        Raises:
            OperationError: the message holds neither, several, or one that can't be read.
        """
        step = Grammar(self.syntax, self.answers, self.rules, self.how_to_call).read(text)
        return (None, step) if isinstance(step, str) else (step, "")

    def write_call(self, name: str, arguments: Mapping[str, str]) -> str:
        """Writes a call; the arguments are JSON texts."""
        return f'<{TAG}>\n{{"name": "{name}", "arguments": {as_object(arguments)}}}\n</{TAG}>'

    def signatures(self) -> list[Signature]:
        """Returns how each operation that the dialect has is called, in the order of codes.

        Raises:
            ConfigError: two operations have one name here.
        """
        registered = operations()
        if self._signatures is not None and self._signatures[0] is registered:
            return self._signatures[1]
        found = [self._signature(each) for each in registered.calls]
        known = [each for each in found if each is not None]
        names = [each.names[0] for each in known]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ConfigError(
                f"expected names that differ in {self.name}, got {min(twice)!r} twice"
            )
        self._signatures = (registered, known)
        return known

    def tool_schemas(self) -> list[dict[str, Any]]:
        """Returns the JSON schemas of the operations."""
        terms = self._terms(Shown(sizes=()))
        return [each.schema(terms) for each in self.signatures()]

    def system_prompt(self, brief: bool = False) -> str:
        """Returns the system message, one sentence long if `brief`."""
        known = self.signatures()
        names = [each.names[0] for each in known]
        prompt = Prompt(names, self.answers, self.how_calls_look(), self.thinks, self.views.rule)
        clips = [each.names[0] for each in known if each.operation.needs_clip]
        return prompt.brief() if brief else prompt.full(self._shown_schemas(), clips)

    def how_calls_look(self) -> str:
        """Returns a call as the system message shows it."""
        return self.form

    def parse(self, text: str, shown: Shown) -> Action:
        """Reads the one call or the one answer of a message.

        Raises:
            OperationError: with kind "malformed", "several_calls", "unknown_operation",
                "bad_arguments", "bad_box", "bad_image", "bad_frames" or "no_answer".
        """
        return self.read(text, shown).action

    def read(self, text: str, shown: Shown) -> Reading:
        """Reads a message as `parse` does, and returns the box that was written."""
        call, declared = self.split(text)
        if call is None:
            return Reading(answer(declared))
        return self._reading(call, shown)

    def render(self, action: Action, shown: Shown) -> str:
        """Writes an action: a call, or a declared answer.

        Raises:
            ConfigError: the dialect can't write it.
        """
        if operations().of(action).is_answer:
            return self._written(self.answers.write(action["text"]), action["text"])
        return self.write_call(*self._call_of(action, shown))

    def compose(self, thought: str, action: Action, shown: Shown) -> str:
        """Writes a whole message: the thinking, in `<think>` where models learnt that."""
        if not self.thinks:
            return super().compose(thought, action, shown)
        return f"<think>{thought}</think>\n{self.render(action, shown)}"

    def tell(self, observation: Observation) -> tuple[Part, ...]:
        """Returns pictures, then the question, at turn 0; later the feedback, then new pictures.

        A notice is added where one turn is left.
        """
        last = [LAST_TURN] if observation["turns_left"] == 1 else []
        images, feedback = observation["images"], observation["feedback"]
        if observation["turn"] == 0:
            names = self.views.introduce(len(images), observation["n_frames"])
            lines = [*names, *question(observation, self.answers.how), *last]
            return (*images, "\n".join(lines))
        if not self.response_tag:
            return ("\n".join([feedback, *last]), *images)
        opening = f"<{self.response_tag}>\n{feedback}\n"
        closing = "\n".join([f"</{self.response_tag}>", *last])
        if not images:
            return (opening + closing,)
        return (opening, *images, f"\n{closing}")

    def feedback(self, observation: Observation, info: Info, shown: Shown) -> str:
        """Returns the environment's feedback in the dialect's own terms; see `Dialect.feedback`."""
        described = None if self.leaves_checks else self._described(info, shown)
        if described is None:
            return observation["feedback"]
        return described + (OUT_OF_TURNS if observation["turns_left"] == 0 else "")

    def _described(self, info: Info, shown: Shown) -> str | None:
        """Describes what an operation did; None where the environment's sentence has no terms."""
        operation = operations().get(info.get("operation"))
        if operation is None or operation.is_answer or "env_error" in info:
            return None
        if "operation_error" in info:
            return operation.refusals.get(info["operation_error"])
        return operation.tell(info.get("asked", info), self._terms(shown))

    def _written(self, declaration: str, answer: str) -> str:
        """Returns a declaration of an answer, rewritten where its tags would be misread."""
        try:
            is_read = self._answer_in(declaration) == answer.strip()
        except OperationError:
            is_read = False
        return declaration if is_read else as_declaration(answer, hides_tags=True)

    def _answer_in(self, text: str) -> str | None:
        """Reads the answer of a text; None where it holds a call."""
        call, declared = self.split(text)
        return declared if call is None else None

    def _terms(self, shown: Shown) -> DialectTerms:
        return DialectTerms(self.frame, self.views, shown, self.leaves_checks)

    def _shown_schemas(self) -> list[dict[str, Any]]:
        return self.tool_schemas() if self.shows_schemas else []

    def _signature(self, operation: Operation) -> Signature | None:
        """Returns how an operation is called; None where the dialect doesn't have it."""
        names = self.names.get(operation.name, (operation.name,))
        if not names:
            return None
        keys = {each.name: self._keys_of(each) for each in operation.arguments}
        names = (*names, operation.name)
        return Signature(operation, names, keys, self.extra.get(operation.name, {}))

    def _keys_of(self, argument: Argument) -> tuple[str, ...]:
        """Returns the names of an argument in calls."""
        if isinstance(argument, ViewArgument):
            return self.views.keys_of(argument.name)
        return self.keys.get(argument.name, (argument.name,))

    def _reading(self, call: Call, shown: Shown) -> Reading:
        """Makes the action that a call asks for."""
        known = self.signatures()
        for signature in known:
            if call.name in signature.names:
                terms = self._terms(shown)
                values = signature.read(call, terms)
                action = operations().action(signature.operation.name, values)
                return Reading(action, terms.written_box, terms.clamped)
        names = " or ".join(each.names[0] for each in known)
        raise OperationError(
            "unknown_operation", f"There is no operation {quoted(call.name)}: use {names}."
        )

    def _call_of(self, action: Action, shown: Shown) -> tuple[str, dict[str, str]]:
        """Returns the name and the arguments, as JSON texts, of the call for an action."""
        operation = operations().of(action)
        signature = self._signature(operation)
        if signature is None:
            known = ", ".join(["answer", *(each.operation.name for each in self.signatures())])
            raise ConfigError(
                f"expected an action that the dialect {self.name} can write ({known}), "
                f"got {operation.name}"
            )
        return signature.names[0], signature.write(action, self._terms(shown))


def as_object(arguments: Mapping[str, str]) -> str:
    """Writes a JSON object of values that are JSON already."""
    return "{" + ", ".join(f'"{name}": {value}' for name, value in arguments.items()) + "}"
