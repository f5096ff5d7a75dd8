package cache

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func benchmarkQuery() (Query, Loader) {
	load := func(context.Context) (Loaded, error) { return Loaded{Body: make([]byte, 4096)}, nil }
	return Query{Key: "movies", Tags: []string{"movies", "movie:1"}, TTL: 10 * time.Minute}, load
}

func BenchmarkHitInMemory(b *testing.B) {
	p := install(b).start(b)
	q, load := benchmarkQuery()
	get(b, p, q, load)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, hit, err := p.Get(context.Background(), q, load); err != nil || !hit {
				b.Error("not a hit", err)
			}
		}
	})
}

func BenchmarkHitInRedis(b *testing.B) {
	p := install(b).start(b)
	q, load := benchmarkQuery()
	get(b, p, q, load)
	b.ReportAllocs()
	for b.Loop() {
		p.forget()
		if _, hit, err := p.Get(context.Background(), q, load); err != nil || !hit {
			b.Error("not a hit", err)
		}
	}
}

func BenchmarkMiss(b *testing.B) {
	p := install(b).start(b)
	q, load := benchmarkQuery()
	q.TTL = 0
	b.ReportAllocs()
	for b.Loop() {
		get(b, p, q, load)
	}
}

func BenchmarkDecode(b *testing.B) {
	e := wholeEntry()
	e.Body = make([]byte, 4096)
	value := encode(e)
	b.ReportAllocs()
	for b.Loop() {
		_, ok := decode(value)
		require.True(b, ok)
	}
}
