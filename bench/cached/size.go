package cached

import (
	"context"
	"fmt"
	"time"
)

// size compares reads of lists whose tables have more and more rows.
func (m *Measurement) size(ctx context.Context) error {
	sizes := []int{10_000, 100_000, 1_000_000}
	if m.Quick {
		sizes = []int{1_000, 10_000}
	}
	lists := []struct {
		name string
		path func(*installation) string
	}{
		{"rooms", func(*installation) string { return pathRooms }},
		{"movies", func(*installation) string { return pathMovies }},
		{"messages", func(in *installation) string { return in.messages() }},
	}
	name := func(list, state string, size int) string { return fmt.Sprintf("%s, %s, %d rows", list, state, size) }
	var contenders []contender
	for _, size := range sizes {
		in, err := m.install(ctx, fmt.Sprint("size", size), size)
		if err != nil {
			return err
		}
		defer in.close()
		warm, err := m.startNode(ctx, in, program)
		if err != nil {
			return err
		}
		defer warm.stop()
		cold, err := m.startNode(ctx, in, uncached)
		if err != nil {
			return err
		}
		defer cold.stop()
		for _, list := range lists {
			ours := target{url: warm.url + list.path(in)}
			if _, err := hit(ctx, ours); err != nil {
				return err
			}
			contenders = append(contenders,
				contender{name: name(list.name, "warm", size), target: ours, connections: 1, processes: []int{warm.id()}},
				contender{name: name(list.name, "cold", size), target: target{url: cold.url + list.path(in)}, connections: 1,
					processes: []int{cold.id()}})
		}
	}
	rounds, turn := m.often(9, time.Second)
	found, err := m.takeTurns(ctx, rounds, turn, contenders)
	if err != nil {
		return err
	}
	least := sizes[0]
	for _, list := range lists {
		for _, state := range []string{"warm", "cold"} {
			small := name(list.name, state, least)
			m.Figure(fmt.Sprintf("%s, %s: time at %d rows", list.name, state, least), 1e6/found.rate(small), " µs")
			for _, size := range sizes[1:] {
				m.AtMost(fmt.Sprintf("the same at %d rows, of that", size), 1.3,
					found.rates(small, name(list.name, state, size)), " ×")
			}
		}
	}
	return nil
}
