// Package stacktest gives tests the real servers of package devstack.
//
// A package's TestMain starts them once, and its tests take a part of their own, so that they can run in parallel:
//
//	func TestMain(m *testing.M) { stacktest.Main(m, devstack.Postgres, devstack.Redis) }
//
//	func TestRooms(t *testing.T) {
//		t.Parallel()
//		url := stacktest.MigratedURL(t) // a database of this test
//		prefix := stacktest.KeyPrefix(t)
//		…
//	}
//
// With goleak, which must look after the servers are stopped:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(stacktest.With(m, devstack.Postgres)) }
//
// What the environment names already (DATABASE_URL, REDIS_URL, TEMPORAL_ADDRESS, SMTP_HOST with SMTP_PORT and
// INBOX_URL) is used as it is and not started. A test that stops or kills servers takes a stack of its own from New.
package stacktest
