"""Reading the audit log back: its lines, its signed heads, and whether all of it holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from shared.audit.chain import Break, Kind, Tip, Verdict, verify
from shared.audit.head import SignedHead, Verify, holds
from shared.codec import decode
from shared.ports import Blobs


@dataclass(frozen=True, slots=True)
class AuditReader:
    """The container ``audit``."""

    blobs: Blobs

    async def blocks(self) -> AsyncIterator[bytes]:
        """The chain's blobs, in order, one at a time (each ends with a whole line)."""
        names = [name async for name in self.blobs.names("chain/")]
        for name in names:
            yield await self.blobs.read_range(name, 0)

    async def lines(self) -> list[bytes]:
        """Every line of the chain."""
        return [line async for block in self.blocks() for line in block.splitlines(keepends=True)]

    async def heads(self) -> list[SignedHead]:
        """Every signed head, by count."""
        names = [name async for name in self.blobs.names("heads/")]
        found = [decode((await self.blobs.get(name)).data, SignedHead) for name in names]
        return sorted(found, key=lambda signed: signed.head.count)

    async def verify(
        self, verifier: Verify | None = None, progress: Callable[[int], None] | None = None
    ) -> Verdict:
        """Check the whole log, blob by blob; with ``verifier`` also against the signed heads.

        ``progress`` is told the count of records after each blob.
        """
        heads = await self.heads() if verifier else []
        forged = [each for each in heads if verifier and not holds(each, verifier)]
        if forged:
            words = "a head's signature is not good"
            return Verdict(Tip(), Break(forged[0].head.count, Kind.FORK, words))
        tips = [each.head.tip() for each in heads]
        verdict = Verdict(Tip())
        async for block in self.blocks():
            # Heads beyond this blob are left for the end, where their absence means truncation.
            lines = block.splitlines(keepends=True)
            reach = verdict.tip.count + len(lines)
            within = [tip for tip in tips if verdict.tip.count <= tip.count <= reach]
            verdict = verify(lines, verdict.tip, within)
            if progress:
                progress(verdict.tip.count)
            if verdict.broken:
                return verdict
        return verify((), verdict.tip, [tip for tip in tips if tip.count >= verdict.tip.count])
