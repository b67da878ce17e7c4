"""The scripts that servers run. All names that one script uses have one hash tag, so that a Cluster can run it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha1

from cache.stores.redis.connection import Argument, Command


@dataclass(frozen=True, slots=True)
class Script:
    """A script in Lua."""

    text: str
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Compute the name by which servers know the script."""
        object.__setattr__(self, "digest", sha1(self.text.encode(), usedforsecurity=False).hexdigest())

    def call(self, names: Sequence[str], arguments: Sequence[Argument]) -> Command:
        """Return the command that runs it."""
        return ("EVALSHA", self.digest, len(names), *names, *arguments)


DRAFT_ROW = Script("""
local found = redis.call('GETRANGE', KEYS[1], 1, 8)
if found ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
local ended = tonumber(ARGV[4])
for number = 3, #KEYS do
  if number - 2 <= ended then redis.call('UNLINK', KEYS[number])
  else redis.call('PEXPIRE', KEYS[number], ARGV[5]) end
end
return 1
""")
"""Write a draft of a row, if the row still is the one that was read. Return 1, or 0 if it is another one.

In the same transaction, the draft is renamed to the row: by a command, since servers tell a connection of what its own
scripts have changed, but not of what its own commands have.

Names: the row; the draft; the chunks to delete; the chunks that stay.
Arguments: the token of the row that was read, or nothing if there was none; the new row; milliseconds that it lives;
the number of chunks to delete; milliseconds that the others live.
"""

DELETE_ROW = Script("""
if redis.call('GETRANGE', KEYS[1], 1, 8) ~= ARGV[1] then return 0 end
for number = 1, #KEYS do redis.call('UNLINK', KEYS[number]) end
return 1
""")
"""Delete a row with its chunks, if the row still is the one that was read. Return 1, or 0 if it is another one.

Names: the row; the chunks. Argument: the token of the row that was read.
"""

OPEN_PURGES = Script("""
if redis.call('EXISTS', KEYS[1]) == 0 then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZADD', KEYS[1], string.format('%.0f', math.max(now, ARGV[1] + 1)), 'begin')
end
return redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[2], '+inf', 'WITHSCORES')
""")
"""Return the log of purges from a number on. A log that is missing begins anew, after all numbers that were seen.

Arguments: the highest number that was seen; the number from which on purges are returned.
"""

ADD_PURGES = Script("""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local number = math.max(now, ARGV[1] + 1, tonumber(last[2] or 0) + 1)
if not last[1] then
  redis.call('ZADD', KEYS[1], string.format('%.0f', number), 'begin')
  number = number + 1
end
for each = 4, #ARGV do
  redis.call('ZADD', KEYS[1], string.format('%.0f', number), ARGV[each])
  number = number + 1
end
local begin = tonumber(redis.call('ZSCORE', KEYS[1], 'begin') or 0)
local before = redis.call('ZREVRANGE', KEYS[1], ARGV[2], ARGV[2], 'WITHSCORES')
begin = math.max(begin, tonumber(before[2] or 0))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', math.max(begin, now - ARGV[3])))
redis.call('ZADD', KEYS[1], string.format('%.0f', begin), 'begin')
return string.format('%.0f', number - 1)
""")
"""Add purges to the log, and forget the oldest ones. Return the number of the last one.

Arguments: the highest number that was seen; how many purges are kept; milliseconds after which nothing is left of what
a purge covers; the scopes.
"""

HELD = "h"
"""The beginning of a lease's value while a node holds it."""
NOT_SHARED_FOR = "n"
"""The same while nobody is to wait for it, since the response is of no use to others; the seconds follow."""
STORED = "s"
"""The value for a moment after the response was stored, for those who have waited. The lease is free."""
NOT_SHARED = "f"
"""The value for a moment after the fetch has ended with nothing that others can use. The lease is free."""

TAKE_LEASE = Script(f"""
local found = redis.call('GET', KEYS[1])
local kind = found and string.sub(found, 1, 1)
if kind == '{HELD}' then redis.call('SET', KEYS[2], '1', 'PX', ARGV[3], 'NX') end
if found and kind ~= '{STORED}' and kind ~= '{NOT_SHARED}' then return found end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
""")
"""Take a lease. Return its value: the one that was given if it was free, else the one that it has.

The wait is set by the first one who waits only: all nodes are told whenever it is set.

Names: the lease; the wait for it.
Arguments: a value, and the milliseconds that it lives; the milliseconds for which somebody may wait.
"""

END_LEASE = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
if ARGV[1] ~= ARGV[2] then redis.call('DEL', KEYS[2]) end
return 1
""")
"""End a lease that is still held, or let it live longer. If somebody waits, all nodes are told of the end.

Names: the lease; the wait for it.
Arguments: its value; its new value, or nothing to delete it; the milliseconds that this lives.
"""

ALL_SCRIPTS = (DRAFT_ROW, DELETE_ROW, OPEN_PURGES, ADD_PURGES, TAKE_LEASE, END_LEASE)
