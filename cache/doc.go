// Package cache is a read-through cache of encoded JSON in Redis, shared by all processes.
//
// # The rule
//
// An entry has tags. Each tag has a version, a unique value under a key of its own. An entry stores the versions that
// its tags had before it was loaded, and it counts only while they are still the tags' versions. After a commit the
// writer gives the changed tags new versions. So:
//
//   - A slow reader that loaded before the commit and stores after it stores an entry that is already void.
//   - Versions are unique and never count up, so any key may be evicted at any time: a lost tag gets a version that
//     no entry has. Eviction, expiry and a command that Redis executes late can only void entries.
//   - One load is shared by those who wait for the same key under the same versions, so nobody who comes after an
//     invalidation is given a load that began before it.
//
// Redis may come back from a restart with old data: entries and tags from before invalidations that it had taken.
// Therefore each entry also stores the server's run ID, which a restart changes. A Redis Cluster has no one run ID;
// there, invalidations that a failover loses are bounded by the entries' time to live.
//
// # When Redis is away
//
// Reads fall through to their loader. An invalidation that Redis did not take is kept in this process and retried,
// and until it is taken, this process passes the tag by: reads with it go to the loader and store nothing. Another
// process that still reaches Redis cannot know of it, and may see older data until the retry succeeds or the entry's
// time to live ends.
//
// Nothing waits for Redis for more than 100 ms in one operation: 50 ms for a lookup and 50 ms for storing what was
// loaded. After a few failures in a row a breaker fails operations at once, and a probe in the background closes it.
// These waits do not follow the caller's context, so that an impatient caller cannot look like a slow Redis.
package cache
