package mail

import (
	"bufio"
	"fmt"
	"strings"
)

// reply is a server's answer (RFC 5321, 4.2). It is also the error of a command that the server refuses.
type reply struct {
	code  int
	lines []string // without the code
}

func (r reply) Error() string { return fmt.Sprintf("%d %s", r.code, strings.Join(r.lines, "\n")) }

// positive reports whether the server has executed the command. The first digit decides (RFC 5321, 4.3.2).
func (r reply) positive() bool { return r.code/100 == 2 }

// negative reports whether the server refuses, temporarily or permanently.
func (r reply) negative() bool { return r.code/100 == 4 || r.code/100 == 5 }

// readReply reads every form of a reply: one line or several, with a text or without, of any length. All lines of a
// reply have the same code (RFC 5321, 4.2.1), so that an incomplete reply still says what was decided.
func readReply(in *bufio.Reader) (reply, error) {
	var r reply
	for {
		line, err := in.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		code, text, more := parseReplyLine(line)
		switch {
		case code != 0:
			r.code, r.lines = code, append(r.lines, text)
		case err == nil && r.code == 0:
			return r, fmt.Errorf("the server's answer is not one of SMTP: %q", line)
		case err == nil: // a line without the code continues the text
			r.lines, more = append(r.lines, line), true
		}
		if r.code != 0 && (err != nil || !more) {
			return r, nil
		}
		if err != nil {
			return r, err
		}
	}
}

// parseReplyLine returns 0 for a line without a code. more says that a hyphen follows the code, so that further lines
// follow.
func parseReplyLine(line string) (code int, text string, more bool) {
	const digits = "0123456789"
	if len(line) < 3 || line[0] < '2' || line[0] > '5' ||
		!strings.Contains(digits, line[1:2]) || !strings.Contains(digits, line[2:3]) ||
		len(line) > 3 && strings.Contains(digits, line[3:4]) {
		return 0, "", false
	}
	code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
	text = line[3:]
	if more = strings.HasPrefix(text, "-"); more {
		text = text[1:]
	}
	return code, strings.TrimSpace(text), more
}
