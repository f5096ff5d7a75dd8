package devstack

import "fmt"

const databaseName = "watchparty" // the user has the same name

// DatabaseURL returns an empty string if the stack has no Postgres. The other addresses do likewise.
func (s *Stack) DatabaseURL() string {
	if !s.Has(Postgres) {
		return ""
	}
	return databaseURL(s.ports.Postgres, databaseName)
}

func databaseURL(port int, database string) string {
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", databaseName, address(port), database)
}

// RedisURL is the URL of database 0.
func (s *Stack) RedisURL() string {
	if !s.Has(Redis) {
		return ""
	}
	return "redis://" + address(s.ports.Redis) + "/0"
}

// TemporalAddress is the host:port of the frontend.
func (s *Stack) TemporalAddress() string {
	if !s.Has(Temporal) {
		return ""
	}
	return address(s.ports.Temporal)
}

// TemporalUIURL is also empty when Temporal runs without its UI.
func (s *Stack) TemporalUIURL() string {
	if !s.Has(Temporal) || !s.options.temporalUI() {
		return ""
	}
	return fmt.Sprintf("http://localhost:%d", s.ports.TemporalUI)
}

// SMTPHost is the host to which emails go; SMTPPort is the port.
func (s *Stack) SMTPHost() string {
	if !s.Has(Inbox) {
		return ""
	}
	return host
}

// SMTPPort is 0 without an inbox.
func (s *Stack) SMTPPort() int {
	if !s.Has(Inbox) {
		return 0
	}
	return s.ports.SMTP
}

// InboxURL is the page of the inbox. Its API is below /api/v1.
func (s *Stack) InboxURL() string {
	if !s.Has(Inbox) {
		return ""
	}
	return fmt.Sprintf("http://localhost:%d", s.ports.Inbox)
}
