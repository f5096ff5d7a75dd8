package api

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

// The contract names the 4xx that each operation answers with, and their codes. What the tests of this package see is
// compared with that: an answer that is not in the contract fails its test, and what no test has seen fails a run of
// all. `go test ./api -contract.update` writes down what was seen, and what follows from the contract itself.
var updateContract = flag.Bool("contract.update", false, "write the 4xx that the tests see into openapi.yaml")

// seen is the codes of the problems that were answered, by operation.
var seen = struct {
	sync.Mutex
	codes map[string]map[string]bool
}{codes: map[string]map[string]bool{}}

// requireProblemInContract notes the code of a 4xx, and fails unless the contract has it for the operation.
func requireProblemInContract(t testing.TB, operation *openapi3.Operation, a answer) {
	t.Helper()
	seen.Lock()
	defer seen.Unlock()
	codes := seen.codes[operation.OperationID]
	if codes == nil {
		codes = map[string]bool{}
		seen.codes[operation.OperationID] = codes
	}
	codes[a.code()] = true
	if !*updateContract {
		require.Contains(
			t, documentedCodes(operation), a.code(), "%s: run go test ./api -contract.update", operation.OperationID,
		)
	}
}

var quotedCode = regexp.MustCompile("`([a-z_]+)`")

// documentedCodes reads the codes of an operation's 4xx: they are quoted in the descriptions of the responses.
func documentedCodes(operation *openapi3.Operation) []string {
	var codes []string
	for status, response := range operation.Responses.Map() {
		if strings.HasPrefix(status, "4") {
			for _, found := range quotedCode.FindAllStringSubmatch(*response.Value.Description, -1) {
				codes = append(codes, found[1])
			}
		}
	}
	return codes
}

// ofNoOperation has the codes of 4xx that no operation of the contract answers with.
var ofNoOperation = []string{
	"method_not_allowed", "origin_not_allowed", // before an operation is chosen
	"upgrade_required", // of live connections
}

// TestDescribedCodes: each code that an operation's description names is one of its responses, and each code of the
// contract is one of some operation.
func TestDescribedCodes(t *testing.T) {
	problems := readContract().Components.Schemas["ProblemCode"].Value
	explained := problems.Extensions["x-problems"].(map[string]any)
	refusal := func(code string) bool {
		problem, ok := explained[code].(map[string]any)
		return ok && problem["status"].(float64) < 500
	}
	answered := map[string]bool{}
	for id, op := range operations() {
		listed := documentedCodes(op.Operation)
		for _, code := range listed {
			answered[code] = true
		}
		for _, found := range quotedCode.FindAllStringSubmatch(op.Description, -1) {
			if code := found[1]; refusal(code) {
				require.Contains(t, listed, code, id)
			}
		}
	}
	for _, code := range problems.Enum {
		if code := code.(string); refusal(code) && !slices.Contains(ofNoOperation, code) {
			require.True(t, answered[code], "no operation answers %s", code)
		}
	}
}

// TestEmptyIsForTexts: only a text for people to read is empty where there is none; other values are null.
func TestEmptyIsForTexts(t *testing.T) {
	for name, schema := range readContract().Components.Schemas {
		for property, p := range schema.Value.Properties {
			if strings.Contains(strings.ToLower(p.Value.Description), "empty") && p.Value.Type.Is("string") {
				require.Empty(t, p.Value.Format, "%s %s", name, property)
				require.Empty(t, p.Value.Enum, "%s %s", name, property)
				require.NotRegexp(t, "_(id|url)$", property, name)
			}
		}
	}
}

// impliedCodes are those of an operation that no test needs to see, since every operation of its kind has them.
func impliedCodes(d documented) []string {
	codes := []string{"invalid_request"}
	if !strings.HasPrefix(d.path, "/health") {
		codes = append(codes, "rate_limited")
	}
	if d.takesToken() {
		codes = append(codes, "unauthenticated")
	}
	if d.forAdmins() {
		codes = append(codes, "forbidden")
	}
	if d.RequestBody != nil {
		codes = append(codes, "request_timeout", "unsupported_media_type", "unsupported_content_encoding")
		if d.OperationID != "putAvatar" { // it has a code of its own
			codes = append(codes, "body_too_large")
		}
	}
	return codes
}

// codesOf is what the contract has to say of an operation.
func codesOf(d documented) []string {
	codes := impliedCodes(d)
	for code := range seen.codes[d.OperationID] {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// compareStatuses is for the end of a run of all tests. It returns what the contract has and nothing has shown.
func compareStatuses() error {
	var unseen []string
	for id, op := range operations() {
		expected := codesOf(op)
		for _, code := range documentedCodes(op.Operation) {
			if !slices.Contains(expected, code) {
				unseen = append(unseen, id+" "+code)
			}
		}
	}
	if len(unseen) == 0 {
		return nil
	}
	slices.Sort(unseen)
	return fmt.Errorf("no test has seen these problems of the contract: %s", strings.Join(unseen, ", "))
}

// shared names the responses of components that have exactly these codes.
var shared = map[string]string{
	"invalid_request":     "InvalidRequest",
	"unauthenticated":     "Unauthenticated",
	"forbidden":           "Forbidden",
	"not_found":           "NotFound",
	"request_timeout":     "RequestTimeout",
	"precondition_failed": "PreconditionFailed",
	"body_too_large":      "BodyTooLarge",
	"rate_limited":        "RateLimited",

	"idempotency_key_reused":       "KeyReused",
	"unsupported_content_encoding": "CompressedBody",

	"unsupported_content_encoding unsupported_media_type": "UnsupportedMediaType",
}

const rangeStatus = http.StatusRequestedRangeNotSatisfiable // which has a header, so it is written by hand

// refusalHeaders are the headers of refusals that the contract describes.
var refusalHeaders = map[int]string{
	http.StatusUnauthorized: "WWW-Authenticate", http.StatusTooManyRequests: "Retry-After",
}

// TestRefusalsHaveTheirHeaders: the contract describes them for every operation.
func TestRefusalsHaveTheirHeaders(t *testing.T) {
	for id, op := range operations() {
		for status, header := range refusalHeaders {
			if response := op.Responses.Status(status); response != nil {
				require.Contains(t, response.Value.Headers, header, "%s, %d", id, status)
			}
		}
	}
}

// writeStatuses puts what was seen into openapi.yaml, in the place of the 4xx that are there.
func writeStatuses() error {
	content, err := os.ReadFile("openapi.yaml")
	if err != nil {
		return err
	}
	var (
		out       []string
		operation string
		former    = map[int][]string{} // the lines of the operation's 4xx, as they were
		status    int                  // of the line
	)
	for line := range strings.Lines(string(content)) {
		if id, ok := strings.CutPrefix(line, "      operationId: "); ok {
			operation = strings.TrimSpace(id)
			clear(former)
		}
		if strings.HasPrefix(line, "components:") {
			operation = ""
		}
		if status == 0 || !strings.HasPrefix(line, "          ") {
			status = 0
			if begin := refusalLine.FindStringSubmatch(line); begin != nil && operation != "" {
				status, _ = strconv.Atoi(begin[1])
			}
		}
		if status != 0 && status != rangeStatus {
			former[status] = append(former[status], line)
			continue
		}
		if operation != "" && strings.HasPrefix(line, "        default:") {
			out = append(out, responsesOf(operations()[operation], former)...)
		}
		out = append(out, line)
	}
	return os.WriteFile("openapi.yaml", []byte(strings.Join(out, "")), 0o644) //nolint:gosec // it is in the repository
}

const maxLine = 120 // columns

var refusalLine = regexp.MustCompile(`^        '(4\d\d)':`)

// responsesOf returns the lines of an operation's 4xx. Those that have the right codes already stay as they are.
func responsesOf(d documented, former map[int][]string) (lines []string) {
	byStatus := map[int][]string{}
	for _, code := range codesOf(d) {
		status := contractProblems()[code].Status
		byStatus[status] = append(byStatus[status], code)
	}
	for _, status := range slices.Sorted(maps.Keys(byStatus)) {
		codes := byStatus[status]
		if status == rangeStatus {
			continue
		}
		if name := shared[strings.Join(codes, " ")]; name != "" {
			lines = append(lines, fmt.Sprintf("        '%d': {$ref: '#/components/responses/%s'}\n", status, name))
			continue
		}
		var there []string
		for _, found := range quotedCode.FindAllStringSubmatch(strings.Join(former[status], ""), -1) {
			there = append(there, found[1])
		}
		if slices.Sort(there); slices.Equal(there, codes) {
			lines = append(lines, former[status]...)
			continue
		}
		description := "          description: '`" + strings.Join(codes, "`, `") + "`'\n"
		if len(description) > maxLine {
			description = "          description: >-\n            `" + strings.Join(codes, "`,\n            `") + "`\n"
		}
		lines = append(lines, "        '"+strconv.Itoa(status)+"':\n", description)
		if header := refusalHeaders[status]; header != "" {
			lines = append(lines, fmt.Sprintf("          headers: {%[1]s: {$ref: '#/components/headers/%[1]s'}}\n", header))
		}
		lines = append(lines,
			"          content: {application/problem+json: {schema: {$ref: '#/components/schemas/Problem'}}}\n")
	}
	return lines
}

// finishStatuses ends a run of the package's tests.
func finishStatuses(code int) int {
	var err error
	switch {
	case *updateContract:
		err = writeStatuses()
	case code == 0 && flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "":
		err = compareStatuses()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
