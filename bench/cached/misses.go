package cached

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/sync/errgroup"
)

// askers is the number of clients that request the same uncached read at once.
const askers = 500

// misses counts the queries when many clients request an uncached read at once.
func (m *Measurement) misses(ctx context.Context) error {
	in, err := m.install(ctx, "misses", 10_000)
	if err != nil {
		return err
	}
	defer in.close()
	const processes, rounds = 10, 5
	var nodes []*node
	for range processes {
		// Statements may wait for the lock until all clients have sent their request.
		n, err := m.startNode(ctx, in, program, "DATABASE_URL="+in.database+"&lock_timeout=60000&statement_timeout=60000")
		if err != nil {
			return err
		}
		defer n.stop()
		nodes = append(nodes, n)
		m.logf("process %d of %d", len(nodes), processes)
	}
	var one, ten float64
	for round := range rounds {
		queries, err := missTogether(ctx, in, in.rooms[10+2*round], nodes[:1])
		if err != nil {
			return err
		}
		one = max(one, queries)
		if queries, err = missTogether(ctx, in, in.rooms[11+2*round], nodes); err != nil {
			return err
		}
		ten = max(ten, queries)
	}
	m.AtMost(fmt.Sprintf("queries of %d concurrent misses of a room in one process, the most of %d times", askers, rounds),
		1, one, "")
	m.AtMost(fmt.Sprintf("the same in %d processes", processes), 2, ten, "")
	return nil
}

// missTogether requests a room that no process has cached, and returns how often it was loaded. The table is locked
// until all clients have sent their request.
func missTogether(ctx context.Context, in *installation, room string, nodes []*node) (float64, error) {
	before, err := loadsOf(ctx, nodes)
	if err != nil {
		return 0, err
	}
	var asking errgroup.Group
	err = in.store.DB().RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.ExecContext(ctx, "LOCK TABLE rooms IN ACCESS EXCLUSIVE MODE"); err != nil {
			return err
		}
		sent := make(chan struct{}, 2*askers) // a request whose connection has ended is sent again
		traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			WroteRequest: func(httptrace.WroteRequestInfo) { sent <- struct{}{} },
		})
		for i := range askers {
			asking.Go(func() error {
				_, err := fetch(traced, target{url: nodes[i%len(nodes)].url + pathRooms + "/" + room})
				return err
			})
		}
		return awaitAskers(ctx, sent)
	})
	if asked := asking.Wait(); err == nil {
		err = asked // otherwise it fails because of err
	}
	if err != nil {
		return 0, err
	}
	after, err := loadsOf(ctx, nodes)
	if err == nil && after == before {
		err = errors.New("nobody has loaded the room")
	}
	return after - before, err
}

// awaitAskers waits until all requests are sent.
func awaitAskers(ctx context.Context, sent <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, 8*time.Second) // a load takes 10 s at most
	defer cancel()
	for n := range askers {
		select {
		case <-sent:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d requests were sent", n, askers)
		}
	}
	return nil
}

// loadsOf returns how often processes have loaded something from Postgres. A load of a room is one statement. It reads
// the metrics of all processes at once: they have the health of Temporal, which is not there, and that takes a while.
func loadsOf(ctx context.Context, nodes []*node) (sum float64, err error) {
	loads := make([]float64, len(nodes))
	reading, ctx := errgroup.WithContext(ctx)
	for i, n := range nodes {
		reading.Go(func() error {
			s, err := n.read(ctx)
			loads[i] = s.sumOf("cache_loads_total")
			return err
		})
	}
	err = reading.Wait()
	for _, n := range loads {
		sum += n
	}
	return sum, err
}
