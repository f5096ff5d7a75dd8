package devstack

// Service is the name of a part of the stack.
type Service string

// The services, as they are named in files and messages.
const (
	Postgres Service = "postgres"
	Redis    Service = "redis"
	Temporal Service = "temporal"
	Inbox    Service = "inbox"

	Prometheus Service = "prometheus" // only in development, where it is installed
)

// title is the service's name for people.
func (s Service) title() string {
	switch s {
	case Postgres:
		return "Postgres"
	case Redis:
		return "Redis"
	case Temporal:
		return "Temporal"
	case Inbox:
		return "the mail inbox"
	case Prometheus:
		return "Prometheus"
	}
	return string(s)
}
