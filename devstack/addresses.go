package devstack

import "fmt"

const databaseName = "watchparty" // the user has the same name

// DatabaseURL is empty when the stack has no Postgres; likewise for the other addresses.
func (s *Stack) DatabaseURL() string {
	if !s.Has(Postgres) {
		return ""
	}
	return databaseURL(s.ports.Postgres, databaseName)
}

func databaseURL(port int, database string) string {
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", databaseName, address(port), database)
}

// RedisURL names database 0.
func (s *Stack) RedisURL() string {
	if !s.Has(Redis) {
		return ""
	}
	return "redis://" + address(s.ports.Redis) + "/0"
}

// TemporalAddress is the frontend's host:port.
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

// SMTPHost is where emails go; the port is SMTPPort.
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

// InboxURL is the inbox's page; its API is below /api/v1.
func (s *Stack) InboxURL() string {
	if !s.Has(Inbox) {
		return ""
	}
	return fmt.Sprintf("http://localhost:%d", s.ports.Inbox)
}
