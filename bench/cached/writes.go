package cached

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// writes compares posts of messages with posts in the variant undurable, which does not announce its changes.
func (m *Measurement) writes(ctx context.Context) error {
	var contenders []contender
	for _, c := range []struct {
		name   string
		writer variant
		others int // processes that read from their caches
	}{
		{"before", undurable, 0},
		{"alone", program, 0},
		{"beside", program, 1},
	} {
		in, err := m.install(ctx, c.name, 10_000)
		if err != nil {
			return err
		}
		defer in.close()
		n, err := m.startNode(ctx, in, c.writer)
		if err != nil {
			return err
		}
		defer n.stop()
		for range c.others {
			other, err := m.startNode(ctx, in, program)
			if err != nil {
				return err
			}
			defer other.stop()
		}
		script := filepath.Join(m.scratch, c.name+".lua")
		if err := writePost(script, in.room); err != nil {
			return err
		}
		contenders = append(contenders, contender{
			name: c.name, connections: 1, processes: []int{n.id()},
			target: target{url: n.url + "/api/chat/messages", headers: []string{in.signedIn()}, script: script},
		})
	}
	rounds, turn := m.often(9, 2*time.Second)
	found, err := m.takeTurns(ctx, rounds, turn, contenders)
	if err != nil {
		return err
	}
	m.Figure("POST of a message without the durable invalidation", 1e3/found.rate("before"), " ms")
	m.AtMost("with it, in the only process, of that", 1.15, found.rates("before", "alone"), " ×")
	m.Figure("with it, beside another process that caches, of that", found.rates("before", "beside"), " ×")
	m.AtMost("what that adds to the time, the median", 2, 1e3/found.rate("beside")-1e3/found.rate("before"), " ms")
	m.Figure("processor time of the process in the first", found.processor("before"), " µs")
	m.Figure("the same in the second", found.processor("alone"), " µs")
	m.Figure("the same in the third", found.processor("beside"), " µs")
	return nil
}

// writePost writes what wrk sends: a message to a room.
func writePost(file, room string) error {
	return writeFile(file, fmt.Sprintf(`wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"room_id": %q, "body": "What was said, which is a line of chat"}'
`, room))
}
