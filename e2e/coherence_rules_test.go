package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/mutant"
)

var (
	// All rules: make soak.
	coherenceRules = flag.Bool("coherence.rules", false, "have TestEveryRuleIsNeeded build the program without each rule")
	coherenceOnly  = flag.String("coherence.only", "", "have it build the program without the rules that match")
	coherencePage  = flag.Bool("coherence.update", false, "write docs/cache-rules.md")
)

// coherenceRule is a rule of packages coherence, cache and store, by which no read is older than a commit.
type coherenceRule struct {
	says string
	// caughtBy is the fault during which the program without the rule answers with data that is too old.
	caughtBy string
	brief    bool // whether it is part of the short form
	without  []mutant.Edit
}

const (
	memberFile = "coherence/member.go"
	leaseFile  = "coherence/lease.go"
	ledgerFile = "coherence/ledger.go"
	getFile    = "cache/get.go"
	storeFile  = "store/store.go"
)

// coherenceTable has the rules. Those of the model (package coherence, TestModelWithoutARule) come first.
var coherenceTable = []coherenceRule{
	{"A writer waits for answers.", "one process hears late", false, []mutant.Edit{
		{memberFile, "\t\tdefer patience.Stop()\n", "\t\tdefer patience.Stop()\n\t\tw.missing = nil\n\t\tclose(w.done)\n"},
		{memberFile, "\tdelete(w.missing, a.Process)\n\tif len(w.missing) == 0 {", "\tif false {"},
	}},
	{"A change is in the ledger before it is answered.", "plain", true, []mutant.Edit{
		{memberFile, "\tm.ledger.Add(a.Change)\n", ""},
	}},
	{"A lease ends by the reader's clock.", "paused with a lease", false, []mutant.Edit{
		{memberFile, "return now() < time.Duration(l.member.end.Load())", "return l.member.end.Load() > 0"},
	}},
	{"A process waits until all writers have it on their lists.", "joins while lists are old", false, []mutant.Edit{
		{leaseFile, "if sent-l.joined > l.timing.List {", "if sent > l.joined {"},
	}},
	{"A process waits for transactions that are running.", "COMMIT on its way while a process joins", false,
		[]mutant.Edit{{leaseFile, "if len(l.waitsFor(s)) == 0 {", "if s.Next > 0 {"}}},
	{"A process begins anew after a late answer.", "renewals answered late", false, []mutant.Edit{
		{leaseFile, "answered-l.renewed >= l.timing.Lease {", "answered-l.renewed >= time.Hour {"},
	}},
	{"A peer lives until its row has not changed for the time of a lease.", "plain", false, []mutant.Edit{
		{leaseFile, "if !ok || seen.row.Turn != row.Turn {", "if !ok {"},
	}},
	{"A writer waits for the time of a lease after it has recorded a change.", "pubsub silent", false, []mutant.Edit{
		{memberFile, "time.NewTimer(m.timing.Lease)", "time.NewTimer(time.Millisecond)"},
	}},
	{"A snapshot is taken before the data is read.", "plain", false, []mutant.Edit{
		{getFile, "\te, err := c.load(ctx, q, snapshot, load)\n", "\te, err := c.load(ctx, q, snapshot, load)\n" +
			"\tif later, failure := c.member.Snapshot(ctx, q.Tags); e != nil && failure == nil {\n" +
			"\t\te.snapshot = later\n\t}\n"},
	}},
	{"An entry of Redis is compared with the ledger.", "plain", false, []mutant.Edit{
		{getFile, " || !c.member.Ledger().Fresh(e.snapshot, e.tags) {", " {"},
		{getFile, "\tif !c.admit(lease, q.Key, e, true) {\n\t\treturn false\n\t}\n\tfl.entry", "\tfl.entry"},
	}},
	{"A lease ends before the row says so.", "lease given back late", false, []mutant.Edit{
		{memberFile, "\tif !reads {\n\t\tm.endLease()\n\t}\n", ""},
	}},
	{"A renewal reads the changes of others.", "pubsub silent", false, []mutant.Edit{
		{memberFile, "\tfor _, change := range r.Changes {\n\t\tm.ledger.Add(change)\n\t}\n", ""},
	}},
	{
		"A transaction commits after its change is announced.",
		"one process hears late",
		false,
		[]mutant.Edit{
			{storeFile, "\t\ttags := map[string]struct{}{}\n",
				"\t\ttags := map[string]struct{}{}\n\t\tvar late coherence.Change\n"},
			{
				storeFile,
				"\t\t\treturn s.announceTags(ctx, tx, tags)\n\t\t})\n",
				"\t\t\tvar err error\n\t\t\tif len(tags) > 0 {\n" +
					"\t\t\t\tlate, err = recordChange(ctx, tx, slices.Sorted(maps.Keys(tags)))\n\t\t\t}\n\t\t\treturn err\n\t\t})\n" +
					"\t\tif err == nil && len(tags) > 0 {\n\t\t\terr = s.announce(ctx, late)\n\t\t}\n",
			},
		},
	},

	{"A writer enters its change in its own ledger.", "plain", false, []mutant.Edit{
		{memberFile, "\tm.ledger.Add(c)\n", ""},
	}},
	{
		"A change makes copies in memory void.",
		"plain",
		false,
		[]mutant.Edit{
			{
				ledgerFile,
				"\t\t\tvoid.Store(true)\n\t\t}\n\t\tstate.copies = nil\n",
				"\t\t\t_ = void\n\t\t}\n\t\tstate.copies = nil\n",
			},
		},
	},
	{"A change is stored by its own transaction.", "one process stopped during changes", false, []mutant.Edit{
		{"store/journal.go", `"INSERT INTO cache_changes (tags) VALUES (?) RETURNING transaction"`,
			`"SELECT pg_current_xact_id() AS transaction WHERE ?::text[] IS NOT NULL"`},
	}},
	{"A process that has missed changes knows it by the horizon.", "changes removed while a process is stopped", false,
		[]mutant.Edit{{memberFile, "(r.Generation != m.generation || m.seen.Oldest <= r.Horizon)",
			"(r.Generation != m.generation)"}}},
	{"Data from before the horizon is not used.", "changes removed while a process is stopped", false, []mutant.Edit{
		{ledgerFile, "if s.Oldest <= l.horizon {", "if s.Oldest == 0 {"},
	}},
	{"Another table of changes is another generation.", "another table of changes", false, []mutant.Edit{
		{memberFile, "(r.Generation != m.generation || ", "("},
	}},
	{"Entries of Redis belong to a generation.", "another table of changes", false, []mutant.Edit{
		{memberFile, "\tm.published.Store(&r.Generation)\n", "\tm.published.CompareAndSwap(nil, &r.Generation)\n"},
	}},
	{"Who joins a load that has begun before takes its result only if no change came in between.",
		"loads answered late", false, []mutant.Edit{
			{getFile, "if result != owner && !began && (result == tooLate || !fl.fresh) {", "if false && !began {"},
		}},
}

// tries is how often a fault is repeated until a program without a rule is caught. The program itself goes through each
// fault repeats times.
const tries, repeats = 20, 3

// TestEveryRuleIsNeeded builds the program without one rule after the other. TestNoReadIsStale would fail for each of
// these programs.
//
//nolint:paralleltest // builds would be in each other's way
func TestEveryRuleIsNeeded(t *testing.T) {
	var table bytes.Buffer
	rows := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(rows, "without the rule\tcaught by\ttry\treads\tstale\tseconds")
	if *coherenceRules {
		requireRulesSuffice(t)
	}
	for _, rule := range coherenceTable {
		switch {
		case *coherenceRules:
		case *coherenceOnly != "":
			if !regexp.MustCompile(*coherenceOnly).MatchString(rule.says) {
				continue
			}
		case !rule.brief:
			continue
		}
		t.Run(rule.says, func(t *testing.T) {
			began := time.Now()
			dir := t.TempDir()
			overlay, err := mutant.Overlay(dir, "..", rule.without)
			require.NoError(t, err)
			program := filepath.Join(dir, "watchparty")
			require.NoError(t, buildProgram(program, "-overlay", overlay))
			c := newCluster(t, program, 3)
			c.fail = t.Logf // what else the program without the rule does is not asked
			fault := faultNamed(t, rule.caughtBy)
			for try := 1; try <= tries; try++ {
				c.awaitHits(t)
				seen := c.storm(func() { fault.run(t, c, time.Second) })
				if len(seen.stale) == 0 && try < tries {
					continue
				}
				fmt.Fprintf(rows, "%s\t%s\t%d\t%d\t%d\t%.1f\n", rule.says, fault.name, try, seen.reads.Load(), len(seen.stale),
					time.Since(began).Seconds())
				require.NotEmpty(t, seen.stale, "not caught")
				t.Log(seen.stale[0])
				return
			}
		})
	}
	_ = rows.Flush()
	t.Logf("\n%s", table.String())
}

// requireRulesSuffice has the program itself go through the same faults: it answers with nothing that is too old.
func requireRulesSuffice(t *testing.T) {
	t.Helper()
	c := newCluster(t, binary, 3)
	tried := map[string]bool{}
	for _, rule := range coherenceTable {
		if tried[rule.caughtBy] {
			continue
		}
		tried[rule.caughtBy] = true
		fault := faultNamed(t, rule.caughtBy)
		for range repeats {
			c.awaitHits(t)
			require.Empty(t, c.storm(func() { fault.run(t, c, time.Second) }).stale, fault.name)
		}
	}
}

func faultNamed(t *testing.T, name string) fault {
	t.Helper()
	i := slices.IndexFunc(faults, func(f fault) bool { return f.name == name })
	require.GreaterOrEqual(t, i, 0, "no fault %q", name)
	return faults[i]
}

// TestCoherenceRules: each rule can be removed, and docs/cache-rules.md has it.
func TestCoherenceRules(t *testing.T) {
	t.Parallel()
	var edits []mutant.Edit
	page := strings.Builder{}
	page.WriteString(coherencePreface)
	for _, rule := range coherenceTable {
		edits = append(edits, rule.without...)
		fmt.Fprintf(&page, "| %s | %s |\n", rule.says, faultNamed(t, rule.caughtBy).name)
	}
	check, err := mutant.ReadTypes("..", edits)
	require.NoError(t, err)
	for _, rule := range coherenceTable {
		files, err := mutant.Apply("..", rule.without)
		require.NoError(t, err, rule.says)
		for path, text := range files {
			assert.NoError(t, check.Check(path, text), rule.says)
		}
	}
	const path = "../docs/cache-rules.md"
	if *coherencePage {
		require.NoError(t, os.WriteFile(path, []byte(page.String()), 0o600))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, page.String(), string(got), "go test ./e2e -run TestCoherenceRules -coherence.update")
}

const coherencePreface = "# Rules of the cache, and the faults that hold them\n" + `
TestNoReadIsStale has people write and read over several API processes while something goes wrong, and compares each
answer with the newest version that was acknowledged, or seen by anybody, before the read began.

Each rule below can be removed from the program by an edit. Without the rule, the program answers with data that is too
old during the fault beside it. "make test" checks that all edits fit, and runs one of these programs; "make soak" runs
all, and says how many answers were too old. In the model (package coherence), the first thirteen rules are needed, too.

This page is made from e2e/coherence_rules_test.go, which has the edits.

| rule | fault |
|---|---|
`
