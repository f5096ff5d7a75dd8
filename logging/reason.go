package logging

import (
	"errors"
	"net"
)

// Reason returns the text of an error without network addresses. Logs have it as the attribute reason.
func Reason(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err.Error()
	}
	return err.Error()
}
