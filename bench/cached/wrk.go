package cached

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// sample is one run of the load.
type sample struct {
	rate      float64       // answers a second
	processor time.Duration // of what was measured, for each answer
	load      time.Duration // of wrk, for each answer
}

// target is what is asked for.
type target struct {
	url     string
	headers []string
	script  string // a file in Lua that says what is sent; empty for GET
}

// connectionsEach is how many connections the load has when it looks for the peak.
const connectionsEach = 32

// wrk asks for a target over so many connections, each of which asks again as soon as it has an answer. The processor
// time is that of processes and their children.
func wrk(ctx context.Context, t target, connections int, length time.Duration, processes ...int) (sample, error) {
	args := []string{"-t1", fmt.Sprintf("-c%d", connections), fmt.Sprintf("-d%.0fs", length.Seconds()), "--timeout", "10s"}
	for _, header := range t.headers {
		args = append(args, "-H", header)
	}
	if t.script != "" {
		args = append(args, "-s", t.script)
	}
	before, err := spent(processes...)
	if err != nil {
		return sample{}, err
	}
	cmd := exec.CommandContext(ctx, "wrk", append(args, t.url)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return sample{}, fmt.Errorf("wrk: %w: %s", err, out)
	}
	after, err := spent(processes...)
	if err != nil {
		return sample{}, err
	}
	answers, rate, err := parseWrk(string(out))
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", t.url, err)
	}
	load := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return sample{
		rate: rate, processor: (after - before) / time.Duration(answers), load: load / time.Duration(answers),
	}, nil
}

var (
	wrkCount  = regexp.MustCompile(`(?m)^\s*(\d+) requests in `)
	wrkRate   = regexp.MustCompile(`(?m)^Requests/sec:\s+([\d.]+)$`)
	wrkBroken = regexp.MustCompile(`(?m)^\s*(Socket errors: .*|Non-2xx or 3xx responses: .*)$`)
)

// parseWrk reads what wrk prints. An answer that is not a 2xx is an error, and so is a connection that broke.
func parseWrk(out string) (answers int64, rate float64, err error) {
	if broken := wrkBroken.FindStringSubmatch(out); broken != nil {
		return 0, 0, errors.New(broken[1])
	}
	count, perSecond := wrkCount.FindStringSubmatch(out), wrkRate.FindStringSubmatch(out)
	if count == nil || perSecond == nil {
		return 0, 0, fmt.Errorf("wrk has said %q", out)
	}
	if answers, err = strconv.ParseInt(count[1], 10, 64); err != nil || answers == 0 {
		return 0, 0, errors.Join(err, errors.New("no answer has come"))
	}
	rate, err = strconv.ParseFloat(perSecond[1], 64)
	return answers, rate, err
}

func writeFile(file, content string) error { return os.WriteFile(file, []byte(content), 0o600) }
