package cache

import (
	"context"
	"testing"
	"time"

	"github.com/watchparty/watchparty/devstack/stacktest"
)

func BenchmarkHit(b *testing.B) {
	c := openCalm(b, settings(b, stacktest.RedisURL()))
	q := Query{Key: "movies", Tags: []string{"movies", "movie:1"}, TTL: time.Hour}
	load := func(context.Context) (Loaded, error) { return Loaded{Body: make([]byte, 4096)}, nil }
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

// BenchmarkAway is a read while the breaker is open.
func BenchmarkAway(b *testing.B) {
	c := openReal(b, settings(b, "redis://127.0.0.1:1"))
	load := func(context.Context) (Loaded, error) { return Loaded{Body: make([]byte, 4096)}, nil }
	for range 10 {
		get(b, c, roomQuery(), load)
	}
	b.ReportAllocs()
	for b.Loop() {
		get(b, c, roomQuery(), load)
	}
}

func BenchmarkInvalidate(b *testing.B) {
	c := openCalm(b, settings(b, stacktest.RedisURL()))
	b.ReportAllocs()
	for b.Loop() {
		c.Invalidate(context.Background(), "room:1", "rooms")
	}
}

func BenchmarkDecode(b *testing.B) {
	versions := []string{newVersion(), newVersion(), newVersion()}
	value := encode(versions, Loaded{Body: make([]byte, 4096)}.entry(), false)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := decode(value, versions); !ok {
			b.Fatal("not decoded")
		}
	}
}
