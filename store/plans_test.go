package store

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty/workflows/job"
)

const (
	pageOfPlans     = 21 // what a page of 20 asks the store for
	smallTable      = 1000
	fewMatches      = 1000    // what a bitmap has picked, such as the matches of a search, may be sorted
	roomsWithPeople = 1000    // those in which somebody is present are all counted and sorted
	searched        = closest // a search sorts what it finds among the shortest rows
	mostRead        = 3000    // by one node of a plan, those rows included that a filter drops
)

// recorder keeps the statements that the store runs.
type recorder struct{ statements []string }

func (r *recorder) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }
func (r *recorder) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	r.statements = append(r.statements, e.Query)
}

// node is one of a plan's.
type node struct {
	Type      string  `json:"Node Type"`
	Relation  string  `json:"Relation Name"`
	Index     string  `json:"Index Name"`
	Estimated float64 `json:"Plan Rows"`
	Actual    float64 `json:"Actual Rows"` // of one loop, as what is dropped
	Dropped   float64 `json:"Rows Removed by Filter"`
	Rechecked float64 `json:"Rows Removed by Index Recheck"`
	Loops     float64 `json:"Actual Loops"`
	Plans     []node
}

// gives is how many rows come out of it, be it by the planner's guess; reads is how many it looks at.
func (n node) gives() float64 { return max(n.Estimated, n.Actual*n.Loops) }
func (n node) reads() float64 { return (n.Actual + n.Dropped + n.Rechecked) * n.Loops }

func (n node) walk(visit func(node)) {
	visit(n)
	for _, child := range n.Plans {
		child.walk(visit)
	}
}

// indexed reports whether the table is read through an index.
func (n node) indexed(table string) bool {
	found := false
	n.walk(func(n node) {
		found = found || n.Relation == table &&
			slices.Contains([]string{"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}, n.Type)
	})
	return found
}

// faults lists what a list query must not do: read a large table from end to end, or most of it by an index, or sort
// more rows than it returns, except for the few rows that a bitmap has picked.
func (n node) faults(rows map[string]int, answered int) (found []string) {
	n.walk(func(n node) {
		if n.Type == "Seq Scan" && rows[n.Relation] > smallTable {
			found = append(found, "reads all of "+n.Relation)
		}
		if n.reads() > mostRead {
			found = append(found, fmt.Sprintf("reads %.0f rows of %s%s in a %s", n.reads(), n.Relation, n.Index, n.Type))
		}
		if !strings.HasSuffix(n.Type, "Sort") {
			return
		}
		input := n.Plans[0]
		picked := input.Type == "Bitmap Heap Scan" && input.gives() <= fewMatches
		if input.gives() > float64(answered) && !picked {
			found = append(found, fmt.Sprintf("sorts %.0f rows of a %s", input.gives(), input.Type))
		}
	})
	return found
}

func explainStatement(t *testing.T, s *Store, statement string) node {
	t.Helper()
	var text string
	require.NoError(t, s.db.QueryRowContext(t.Context(),
		"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "+strings.ReplaceAll(statement, "?", "??")).Scan(&text), statement)
	var plans []struct{ Plan node }
	require.NoError(t, json.Unmarshal([]byte(text), &plans), text)
	return plans[0].Plan
}

// TestListPlans: the cost of a list depends on the page, and not on the size of the table.
func TestListPlans(t *testing.T) {
	t.Parallel()
	s, rows := openFilledStore(t)
	covered := map[string]bool{}
	for _, l := range plannedLists() {
		covered[l.method] = true
		for where, at := range map[string]pageAt{"first page": firstPage, "a further page": furtherPage} {
			t.Run(fmt.Sprintf("%s, %s, %s", l.method, l.what, where), func(t *testing.T) {
				seen := &recorder{}
				recorded := *s
				recorded.db = s.DB().WithQueryHook(seen)
				require.NoError(t, l.run(t.Context(), &recorded, at))
				lists := slices.DeleteFunc(seen.statements, func(s string) bool {
					return strings.HasPrefix(s, "SELECT search_fold(") // which reads no table
				})
				if l.answered == searched && len(lists) == 2 {
					lists = lists[1:] // the first one has found nothing
				}
				require.Len(t, lists, 1, "a list is one statement")
				plan := explainStatement(t, s, lists[0])
				shown, err := json.Marshal(plan)
				require.NoError(t, err)
				require.Empty(t, plan.faults(rows, l.answered), "%s\n%s", lists[0], shown)
				require.True(t, plan.indexed(l.table), "%s\n%s", lists[0], shown)
			})
		}
	}
	for _, e := range timeLimits { // every minute
		t.Run("what time timeLimits, "+e.name(), func(t *testing.T) {
			plan := explainStatement(t, s, e.overdue())
			shown, err := json.Marshal(plan)
			require.NoError(t, err)
			require.Empty(t, plan.faults(rows, endBatch), "%s\n%s", e.overdue(), shown)
		})
	}
	for name, run := range map[string]func(s *Store) error{ // by each look at the console's first page, or at /health
		"SchedulePauses": func(s *Store) error {
			return second(s.SchedulePauses(t.Context(), job.ScheduleCleanup, Now().Add(-time.Hour)))
		},
		"Throughput": func(s *Store) error { return second(s.Throughput(t.Context(), time.Second, 1)) },
		"Delays":     func(s *Store) error { return second(s.Delays(t.Context())) },
	} {
		t.Run(name, func(t *testing.T) {
			seen := &recorder{}
			recorded := *s
			recorded.db = s.DB().WithQueryHook(seen)
			require.NoError(t, run(&recorded))
			require.Len(t, seen.statements, 1)
			plan := explainStatement(t, s, seen.statements[0])
			shown, err := json.Marshal(plan)
			require.NoError(t, err)
			require.Empty(t, plan.faults(rows, pageOfPlans), "%s\n%s", seen.statements[0], shown)
		})
	}
	for method := range reflect.TypeFor[*Store]().Methods() {
		for parameter := range method.Type.Ins() {
			if parameter == reflect.TypeFor[Page]() {
				require.True(t, covered[method.Name], "the list %s is not in this test", method.Name)
			}
		}
	}
}
