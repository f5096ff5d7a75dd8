package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"
	"github.com/joho/godotenv"
)

// dataDir is the folder of a development stack's data. Stacks with a port offset have folders of their own.
func dataDir(offset int) string {
	if offset == 0 {
		return ".watchparty"
	}
	return filepath.Join(".watchparty", "offset-"+strconv.Itoa(offset))
}

// devFile holds the settings of a development stack, so that other commands find it.
func devFile(offset int) string { return filepath.Join(dataDir(offset), "dev.env") }

// portOffset reads DEV_PORT_OFFSET.
func portOffset(vars map[string]string) (int, error) {
	text := vars["DEV_PORT_OFFSET"]
	if text == "" {
		return 0, nil
	}
	offset, err := strconv.Atoi(text)
	if err != nil || offset < 0 || offset > 40000 {
		return 0, errors.New("DEV_PORT_OFFSET must be a number from 0 to 40000")
	}
	return offset, nil
}

// environment adds, in development only, the variables of .env and of a running development stack that environ does not
// have.
func environment(environ []string) ([]string, error) {
	vars := env.ToMap(environ)
	if vars["APP_ENV"] == "production" {
		return environ, nil
	}
	local, err := withDotenv(vars)
	if err != nil {
		return nil, err
	}
	offset, err := portOffset(local)
	if err != nil {
		return nil, err
	}
	stack, err := readEnv(devFile(offset))
	if err != nil {
		return nil, err
	}
	if stack == nil && vars["APP_ENV"] != "development" {
		return environ, nil
	}
	merged := map[string]string{}
	maps.Copy(merged, local)
	maps.Copy(merged, stack) // it has the variables that .env had when the stack was started
	maps.Copy(merged, vars)
	return lines(merged), nil
}

// withDotenv adds the variables of .env that vars does not have.
func withDotenv(vars map[string]string) (map[string]string, error) {
	merged, err := readEnv(".env")
	if err != nil {
		return nil, err
	}
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, vars)
	return merged, nil
}

// readEnv returns nil if the file does not exist. Its errors do not contain the content, which has secrets.
func readEnv(path string) (map[string]string, error) {
	content, err := os.ReadFile(path) //nolint:gosec // one of two names
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	vars, err := godotenv.UnmarshalBytes(bytes.TrimPrefix(content, []byte("\ufeff"))) // some editors add the mark
	if err != nil {
		return nil, fmt.Errorf("read settings: %s: a line is not NAME=value, or a quote is not closed", path)
	}
	return vars, nil
}

func lines(vars map[string]string) []string {
	out := make([]string, 0, len(vars))
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		out = append(out, name+"="+vars[name])
	}
	return out
}

// writeEnv stores settings for other commands. They have a secret, so only the owner may read the file.
func writeEnv(path string, vars map[string]string) error {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		line, err := envLine(name, vars[name])
		if err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		text.WriteString(line + "\n")
	}
	return os.WriteFile(path, []byte(text.String()), 0o600)
}

// bare matches values that need no quotes.
var bare = regexp.MustCompile(`^[\w./:@\\-]+$`)

// envLine returns a line that readEnv understands. godotenv's own function changes numbers: 007 becomes 7.
func envLine(name, value string) (string, error) {
	switch {
	case bare.MatchString(value):
		return name + "=" + value, nil
	case !strings.ContainsAny(value, "'\r\n"):
		return name + "='" + value + "'", nil
	}
	return godotenv.Marshal(map[string]string{name: value})
}

// exportSDKs copies the settings of AWS' and OpenTelemetry's SDKs to the environment of the process, which is all that
// the SDKs read: they may come from .env or from a file with a secret.
func exportSDKs(environ []string) error {
	for name, value := range env.ToMap(environ) {
		if !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "OTEL_") || os.Getenv(name) == value {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	return nil
}
