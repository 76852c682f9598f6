"""What a memo of decision is: its doubts, its parts, and who signs, in no format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from optimiser.figures.figure import Figured
from optimiser.plan.plan import Plan

DAYS = 90
"""The days from the start of the horizon whose actions a memo lists."""


@dataclass(frozen=True)
class MemoAudit:
    """Describe what the audit of a plan says. `fails`: figures do not agree."""

    said: str
    fails: bool = False


@dataclass(frozen=True)
class MemoGround:
    """Describe what a memo is made of: a plan, and what its audit says.

    `files` are what the plan was made from and stands in, each with its sha256. `stress` are the
    gravest lines of a stress test, `stressed` says where they come from; without one how to run it.
    """

    plan: Plan
    audit: MemoAudit
    files: Mapping[str, str] = field(default_factory=dict)
    stress: Sequence[str] = ()
    stressed: str = ""


@dataclass(frozen=True)
class MemoPart:
    """A part of a memo: its title, sentences, tables and charts in the order in which they are
    read."""

    title: str
    figures: tuple[Figured, ...]


@dataclass(frozen=True)
class Memo:
    """A memo: the page that the one who signs reads.

    `doubts` are what stands against signing, `lead` is what is to decide, `facts` say of what it
    is. `signatures` are the rows of the block to sign: blank where the plan is not to be signed.
    """

    title: str
    doubts: tuple[str, ...]
    lead: tuple[str, ...]
    facts: str
    parts: tuple[MemoPart, ...]
    signatures: tuple[str, ...]


KIND = "Decision memo"
SIGNED_BY = ("Signature", "Name and position", "Date", "Signed")
"""The head of the block to sign."""
SIGNERS = ("Prepared by", "Checked by", "Approved by")
