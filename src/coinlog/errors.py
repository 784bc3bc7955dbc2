"""Every exception coinlog raises on purpose, in one tree.

- ``CoinlogError``: the root; its text says what was got, what was expected and what to do
    - ``UsageError``: the command, a setting or an address was used wrongly (exit code 2)
        - ``SettingError``: a setting has a value that cannot be used
        - ``NotCurrentSlotError``: only the current slot can be recorded
        - ``EventError``: a function on AWS was woken by an event that it cannot use
    - ``SourceError``: the source gave no usable answer; ``reason`` is the ledger's code
        - ``WrongKeyError``: the key is missing, wrong or disabled: correct it
        - ``PlanError``: the key's plan does not allow this: change plan or settings
        - ``QuotaError``: the credits are spent: wait until they are renewed
        - ``RateLimitedError``: too many requests: slow down
        - ``UnavailableError``: out of reach, too slow or failing: try again
        - ``BrokenAnswerError``: an answer that cannot be read: keep it and report it
        - ``RefusedRequestError``: the source says that the request itself is wrong
        - ``ClockError``: our clock is wrong, so the slot would be
    - ``ArchiveError``: the archive cannot be written or read
        - ``DamagedError``: an archived answer is not what its manifest says
        - ``UnreadError``: some attempts or answers cannot be read now; all others are settled
    - ``StoreError``: the database cannot be used
        - ``StoreUnavailableError``: it is away: try again
        - ``MixedSourcesError``: simulated and real data may not share a store
        - ``StoreRefusedError``: it refused a value: this attempt cannot be stored as it is
        - ``SchemaError``: its schema is older or newer than this program
            - ``NewerSchemaError``: a newer coinlog made it: use that one
        - ``UnfinishedMoveError``: a move has filled it in part: finish that
        - ``LossError``: doing this would lose what it holds
    - ``AlertError``: an alert cannot be sent
        - ``UncertainAlertError``: it may have been taken or not
        - ``PartlySentError``: some recipients of an address took it, others did not
    - ``BusyError``: another is at work on the same: try again
    - ``ExportError``: what was to be exported cannot be written
    - ``BackupError``: a backup cannot be made or used
        - ``DamagedBackupError``: a backup is not what was written, or not all of it
    - ``NothingToImportError``: a source holds nothing that can be imported
    - ``MissingPackageError``: a package is not installed that only this needs
"""

from __future__ import annotations

from coinlog.market import Reason


class CoinlogError(Exception):
    """The root of all errors that coinlog raises on purpose."""


class UsageError(CoinlogError):
    """A command, setting or address was used wrongly."""


class NotFoundError(UsageError):
    """What was asked for is not there."""


class SettingError(UsageError):
    """A setting has a value that cannot be used."""


class NotCurrentSlotError(UsageError):
    """A slot other than the current one was to be recorded."""


class EventError(UsageError):
    """A function on AWS was woken by an event that it cannot use."""


class SourceError(CoinlogError):
    """The source gave no usable answer.

    Attributes:
        reason: the code that the ledger shows.
        heals: whether asking the same again soon can help.
        retry_after_seconds: how long the source asked us to wait, if it did.
    """

    reason: Reason = Reason.BROKEN_ANSWER
    heals: bool = False

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class WrongKeyError(SourceError):
    """The API key is missing, wrong, disabled or expired."""

    reason = Reason.WRONG_KEY


class PlanError(SourceError):
    """The key's plan does not allow this request."""

    reason = Reason.PLAN


class QuotaError(SourceError):
    """The plan's credits are spent until they are renewed."""

    reason = Reason.QUOTA


class RateLimitedError(SourceError):
    """Too many requests in a short time."""

    reason = Reason.RATE_LIMITED
    heals = True


class UnavailableError(SourceError):
    """The source is out of reach, too slow or failing."""

    reason = Reason.UNREACHABLE
    heals = True

    def __init__(
        self,
        message: str,
        *,
        reason: Reason = Reason.UNREACHABLE,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message, retry_after_seconds=retry_after_seconds)
        self.reason = reason


class BrokenAnswerError(SourceError):
    """An answer cannot be read as what it should be."""

    reason = Reason.BROKEN_ANSWER


class RefusedRequestError(SourceError):
    """The source says that the request is wrong (HTTP 400)."""

    reason = Reason.REFUSED_REQUEST


class ClockError(SourceError):
    """Our clock and the source's disagree about which slot it is."""

    reason = Reason.CLOCK_SKEW


class ArchiveError(CoinlogError):
    """The archive cannot be written or read."""


class DamagedError(ArchiveError):
    """An archived answer is not what its manifest says it is."""


class UnreadError(ArchiveError):
    """Some of what the archive holds cannot be read now; all else has been settled."""


class StoreError(CoinlogError):
    """The database cannot be used as it is."""


class StoreUnavailableError(StoreError):
    """The database is away or too busy; trying again can help.

    Attributes:
        passes: whether it can be over within seconds or minutes, by itself.
    """

    def __init__(self, message: str, *, passes: bool = False) -> None:
        super().__init__(message)
        self.passes = passes


class StoreRefusedError(StoreError):
    """The database refused a value; trying the same again cannot help."""


class MixedSourcesError(StoreError):
    """Simulated and real data may not share a store."""


class SchemaError(StoreError):
    """The database's schema is older or newer than this program."""


class NewerSchemaError(SchemaError):
    """The database's schema is one that a newer coinlog made."""


class UnfinishedMoveError(StoreError):
    """The database is half filled by a move that has not been finished."""


class LossError(StoreError):
    """Doing what was asked would lose something that the store holds."""


class AlertError(CoinlogError):
    """An alert could not be sent."""


class UncertainAlertError(AlertError):
    """Nobody can tell whether an alert was taken: trying again may send it twice."""


class PartlySentError(AlertError):
    """Of several recipients of one address some took an alert, and some did not."""


class BusyError(CoinlogError):
    """Another is at work on the same and has not ended in time."""


class ExportError(CoinlogError):
    """What was to be exported cannot be written."""


class BackupError(CoinlogError):
    """A backup cannot be made, or what was given cannot be used as one."""


class DamagedBackupError(BackupError):
    """A backup is not what was written, or not all of it."""


class NothingToImportError(CoinlogError):
    """A source holds nothing that can be imported."""


class MissingPackageError(CoinlogError):
    """A package that only this needs is not installed."""
