package health

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// patience is for what takes moments on an idle machine.
const patience = 2 * time.Minute

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(stacktest.With(m, devstack.Postgres, devstack.Temporal))
}
