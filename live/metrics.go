package live

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	opened   prometheus.Counter
	closed   *prometheus.CounterVec
	received *prometheus.CounterVec
	sent     prometheus.Counter
	commands *prometheus.CounterVec
	slow     prometheus.Counter
}

func newMetrics(registerer prometheus.Registerer, h *Hub) metrics {
	factory := promauto.With(registerer)
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "live_connections", Help: "Live connections that have signed in.",
	}, func() float64 { return float64(len(h.signedInConnections())) })
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "live_rooms", Help: "Rooms with live connections to this process.",
	}, func() float64 { return float64(len(h.openRooms())) })
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "live_degraded", Help: "1 while the database is down, 0 otherwise.",
	}, func() float64 {
		if h.degraded.Load() {
			return 1
		}
		return 0
	})
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "clock_offset_seconds", Help: "How far the database's clock is ahead of this machine's.",
	}, func() float64 {
		offset, _ := h.clock.Offset()
		return offset.Seconds()
	})
	return metrics{
		opened: factory.NewCounter(prometheus.CounterOpts{
			Name: "live_connections_opened_total", Help: "Live connections that were accepted.",
		}),
		closed: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "live_connections_closed_total", Help: "Live connections that have ended, by the reason.",
		}, []string{"reason"}),
		received: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "live_messages_received_total",
			Help: "Messages from clients, by their type; those that cannot be read are refused.",
		}, []string{"type"}),
		sent: factory.NewCounter(prometheus.CounterOpts{
			Name: "live_messages_sent_total", Help: "Messages to clients.",
		}),
		commands: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "live_commands_total", Help: "Commands, by their outcome: applied, or the code of the error.",
		}, []string{"command", "outcome"}),
		slow: factory.NewCounter(prometheus.CounterOpts{
			Name: "live_slow_consumers_total", Help: "Connections that were closed because they did not take their messages.",
		}),
	}
}

func (m metrics) count(command, outcome string) { m.commands.WithLabelValues(command, outcome).Inc() }
