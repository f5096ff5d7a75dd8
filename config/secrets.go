package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/caarlos0/env/v11"
)

// maxSecretBytes is the largest size of a secret's file.
const maxSecretBytes = 64 << 10

// ReadSecrets reads the file that the variable NAME_FILE of a secret names, and returns environ with the file's content
// as NAME. One line break at the end of a file is not part of the secret. Errors never contain the content of a file.
// Beside an error, environ still has all variables that could be read.
func ReadSecrets(environ []string) ([]string, error) {
	vars := env.ToMap(environ)
	var p problems
	for _, s := range Settings() {
		path := vars[s.Name+fileSuffix]
		if !s.Secret || path == "" {
			continue
		}
		value, err := readSecret(path)
		if err != nil {
			p = append(p, fmt.Errorf("%s%s %w", s.Name, fileSuffix, err))
			continue
		}
		environ = append(environ, s.Name+"="+value) // the last value of a name counts
	}
	return environ, errors.Join(p...)
}

func readSecret(path string) (string, error) {
	file, err := os.Open(path) //nolint:gosec // an operator chooses the path
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, maxSecretBytes+1))
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	switch {
	case len(content) > maxSecretBytes:
		return "", fmt.Errorf("names a file of more than %d bytes", maxSecretBytes)
	case value == "":
		return "", errors.New("names an empty file")
	}
	return value, nil
}
