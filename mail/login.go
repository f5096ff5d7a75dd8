package mail

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"slices"

	"github.com/wneessen/go-mail/smtp"

	"github.com/watchparty/watchparty/config"
)

// login has the credentials of this service. The zero value has none.
type login struct {
	host, username, password string
}

func newLogin(c config.Email) login { return login{c.Host, c.Username, c.Password} }

type mechanism struct {
	name string
	auth smtp.Auth
}

// mechanisms lists the mechanisms that are safe on the connection, the best first. A password is sent in clear text to
// this machine only.
func (l login) mechanisms(conn net.Conn) []mechanism {
	var all []mechanism
	secure, encrypted := conn.(*tls.Conn)
	if encrypted {
		state := secure.ConnectionState()
		all = append(all,
			mechanism{"SCRAM-SHA-256-PLUS", smtp.ScramSHA256PlusAuth(l.username, l.password, &state)},
			mechanism{"SCRAM-SHA-1-PLUS", smtp.ScramSHA1PlusAuth(l.username, l.password, &state)})
	}
	all = append(all,
		mechanism{"SCRAM-SHA-256", smtp.ScramSHA256Auth(l.username, l.password)},
		mechanism{"SCRAM-SHA-1", smtp.ScramSHA1Auth(l.username, l.password)},
		mechanism{"CRAM-MD5", smtp.CRAMMD5Auth(l.username, l.password)})
	if encrypted || slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, l.host) {
		all = append(all,
			mechanism{"PLAIN", smtp.PlainAuth("", l.username, l.password, l.host, false)},
			mechanism{"LOGIN", smtp.LoginAuth(l.username, l.password, l.host, false)})
	}
	return all
}

// authenticate uses the best mechanism that the server offers, if there are credentials.
func (l login) authenticate(c *client) error {
	if l.username == "" {
		return nil
	}
	c.step = StepAuth
	offered := c.extensions["AUTH"]
	_, encrypted := c.conn.(*tls.Conn)
	for _, m := range l.mechanisms(c.conn) {
		if slices.Contains(offered, m.name) {
			return c.authenticate(m.auth, &smtp.ServerInfo{Name: l.host, TLS: encrypted, Auth: offered})
		}
	}
	return errors.New("the server offers no way to authenticate that is safe over this connection")
}

// secrets lists the forms in which a server could repeat the credentials in its answer, longest first.
func (l login) secrets() []string {
	if l.username == "" {
		return nil
	}
	encode := base64.StdEncoding.EncodeToString
	all := []string{
		encode([]byte("\x00" + l.username + "\x00" + l.password)), encode([]byte(l.password)), encode([]byte(l.username)),
		l.password, l.username,
	}
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	slices.SortStableFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}
