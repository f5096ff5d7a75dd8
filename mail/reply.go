package mail

import (
	"bufio"
	"fmt"
	"strings"
)

// reply is a server's answer (RFC 5321, 4.2). It is also the error of the command that it does not grant.
type reply struct {
	code  int
	lines []string // without the code
}

func (r reply) Error() string { return fmt.Sprintf("%d %s", r.code, strings.Join(r.lines, "\n")) }

// positive reports that the server has done what it was asked to. The first digit decides (RFC 5321, 4.3.2).
func (r reply) positive() bool { return r.code/100 == 2 }

// negative reports that the server refuses, for now or for good.
func (r reply) negative() bool { return r.code/100 == 4 || r.code/100 == 5 }

// readReply takes every form of a reply: one line or many, with text or without it, of any length. All lines of a reply
// have the same code (RFC 5321, 4.2.1), so that one that breaks off in the middle is as good as a whole one: what was
// decided is known.
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
		case err == nil: // a text that the server broke into lines without the code
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

// parseReplyLine returns 0 for a line that has no code. More lines follow one whose code a hyphen follows.
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
