"""What other rooms may use of rendering."""

from rendering.asking import asks
from rendering.checks import check_content
from rendering.expressions import validate_expression
from rendering.fill import fill
from rendering.links import link_target
from rendering.messages import Failed, Filled, message_bytes
from rendering.partial import compile, compile_untracked
from rendering.plain import Rendered, plain
from rendering.preview import Preview, preview, without_content
from rendering.program import Compiled, CompiledMessage, Hole, Program, Shape
from rendering.sms_parts import SmsParts, sms_parts
from rendering.substitution import Substituted, substitution
from rendering.values import Recipient

__all__ = [
    "Compiled",
    "CompiledMessage",
    "Failed",
    "Filled",
    "Hole",
    "Preview",
    "Program",
    "Recipient",
    "Rendered",
    "Shape",
    "SmsParts",
    "Substituted",
    "asks",
    "check_content",
    "compile",
    "compile_untracked",
    "fill",
    "link_target",
    "message_bytes",
    "plain",
    "preview",
    "sms_parts",
    "substitution",
    "validate_expression",
    "without_content",
]
