package cache

import (
	"context"
	"testing"
	"time"
)

// benchQuery is a list of 4 KiB, made from 20 things.
func benchQuery() (Query, Loader) {
	q := Query{Key: "movies", Tags: []string{"movies"}, TTL: 10 * time.Minute}
	return q, func(context.Context) (Loaded, error) { return Loaded{Body: make([]byte, 4096)}, nil }
}

// BenchmarkHit is a read that this process' memory answers.
func BenchmarkHit(b *testing.B) {
	c := install(b).start(b)
	q, load := benchQuery()
	get(b, c, q, load)
	ctx := context.Background()
	read := func() {
		if _, hit, err := c.Get(ctx, q, load); err != nil || !hit {
			b.Error("not a hit", err)
		}
	}
	b.Run("sequential", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			read()
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				read()
			}
		})
	})
}

// BenchmarkSharedHit is a read that Redis answers, since this process' memory has lost it.
func BenchmarkSharedHit(b *testing.B) {
	c := install(b).start(b)
	q, load := benchQuery()
	get(b, c, q, load)
	b.ReportAllocs()
	for b.Loop() {
		c.local.Invalidate(q.Key)
		if _, hit := get(b, c, q, load); !hit {
			b.Fatal("not a hit")
		}
	}
}

// BenchmarkMiss is a read that is loaded and stored. The loader takes no time.
func BenchmarkMiss(b *testing.B) {
	i := install(b)
	c := i.start(b)
	q, load := benchQuery()
	redis := rawClient(b, i.redis.URL)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		c.local.Invalidate(q.Key)
		redis.Del(b.Context(), c.shared.entryKey(c.member.Generation(), q.Key))
		b.StartTimer()
		get(b, c, q, load)
	}
}

// BenchmarkChange is a transaction that changes two tags and nothing else, with and without another process that has to
// know first.
func BenchmarkChange(b *testing.B) {
	i := install(b)
	c := i.start(b)
	change := func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.change(b, "room:1", "rooms")
		}
	}
	b.Run("alone", change)
	i.start(b)
	b.Run("with_another", change)
}

func BenchmarkDecode(b *testing.B) {
	q, load := benchQuery()
	loaded, _ := load(context.Background())
	value := encode(
		&Entry{Body: loaded.Body, ETag: ETag(loaded.Body), tags: q.Tags, created: time.Now(), expires: time.Now()},
	)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := decode(value); !ok {
			b.Fatal("does not decode")
		}
	}
}
