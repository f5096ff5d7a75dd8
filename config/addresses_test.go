package config_test

import (
	"maps"
	"net/url"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun/driver/pgdriver"
)

// passwords contain what has a meaning in an address, a file of settings or a shell.
var passwords = []string{
	"plain",
	"a/b",
	"a#b",
	"a@b:c",
	"a?b=c&d",
	"100%",
	"%2F",
	"a b",
	"$HOME",
	`"quoted"`,
	"it's",
	`back\slash`,
	"[x]",
	"a,b",
	"pässwörd",
	"+",
	";",
	"://",
}

func databaseOf(t *testing.T, vars map[string]string) *pgdriver.Config {
	t.Helper()
	c, err := load(vars)
	require.NoError(t, err)
	return pgdriver.NewConnector(pgdriver.WithDSN(c.Database.URL)).Config()
}

func redisOf(t *testing.T, vars map[string]string) *redis.Options {
	t.Helper()
	c, err := load(vars)
	require.NoError(t, err)
	options, err := redis.ParseURL(c.Redis.URL)
	require.NoError(t, err)
	return options
}

func TestPasswordsWithAnyCharacter(t *testing.T) {
	for _, password := range passwords {
		t.Run(password, func(t *testing.T) {
			database := map[string]string{"DATABASE_PASSWORD": password, "DATABASE_USER": "u/" + password}
			for _, base := range []map[string]string{
				{"DATABASE_URL": "", "DATABASE_HOST": "db"},
				{"DATABASE_URL": "postgres://other:ignored@elsewhere/none?sslmode=disable", "DATABASE_HOST": "db"},
			} {
				maps.Copy(base, database)
				got := databaseOf(t, base)
				require.Equal(t, "db:5432", got.Addr)
				require.Equal(t, "watchparty", got.Database)
				require.Equal(t, "u/"+password, got.User)
				require.Equal(t, password, got.Password)
			}
			got := databaseOf(t,
				map[string]string{"DATABASE_URL": "postgres://me@db/files?sslmode=disable", "DATABASE_PASSWORD": password})
			require.Equal(t, []string{"db:5432", "files", "me", password},
				[]string{got.Addr, got.Database, got.User, got.Password})
			require.Nil(t, got.TLSConfig)

			shared := redisOf(t,
				map[string]string{"REDIS_URL": "", "REDIS_HOST": "cache", "REDIS_USERNAME": "me", "REDIS_PASSWORD": password})
			require.Equal(t, []string{"cache:6379", "me", password}, []string{shared.Addr, shared.Username, shared.Password})
			shared = redisOf(t, map[string]string{"REDIS_URL": "rediss://cache:7000/3", "REDIS_PASSWORD": password})
			require.Equal(t, []string{"cache:7000", "", password}, []string{shared.Addr, shared.Username, shared.Password})
			require.Equal(t, 3, shared.DB)
			require.NotNil(t, shared.TLSConfig)
		})
	}
}

func TestPasswordOfTheAddressStays(t *testing.T) {
	got := databaseOf(t,
		map[string]string{"DATABASE_URL": "postgres://me:own@db/files?sslmode=disable", "DATABASE_PASSWORD": "other"})
	require.Equal(t, "own", got.Password)
	c, err := load(map[string]string{"REDIS_URL": "redis://a:1,redis://:own@b:2", "REDIS_PASSWORD": "p/q"})
	require.NoError(t, err)
	require.Equal(t, "redis://:p%2Fq@a:1,redis://:own@b:2", c.Redis.URL)
}

func TestParts(t *testing.T) {
	for _, test := range []struct {
		name            string
		vars            map[string]string
		database, redis string
	}{
		{"defaults", map[string]string{"DATABASE_HOST": "db", "REDIS_HOST": "cache"},
			"postgres://watchparty@db:5432/watchparty", "redis://cache:6379/0"},
		{"all", map[string]string{
			"DATABASE_HOST": "fd00::1", "DATABASE_PORT": "6432", "DATABASE_USER": "u", "DATABASE_NAME": "n/m",
			"DATABASE_SSLMODE": "verify-ca", "DATABASE_SSLROOTCERT": "/run/secrets/ca.pem",
			"REDIS_HOST": "[fd00::2]", "REDIS_PORT": "7000", "REDIS_USERNAME": "u", "REDIS_DB": "2", "REDIS_TLS": "true",
		}, "postgres://u@[fd00::1]:6432/n/m?sslmode=verify-ca&sslrootcert=%2Frun%2Fsecrets%2Fca.pem", "rediss://u@[fd00::2]:7000/2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := load(test.vars)
			require.NoError(t, err)
			require.Equal(t, test.database, c.Database.URL)
			require.Equal(t, test.redis, c.Redis.URL)
			_, err = url.Parse(c.Database.URL)
			require.NoError(t, err)
		})
	}
	_, err := load(
		map[string]string{"DATABASE_URL": "", "REDIS_URL": "", "DATABASE_PASSWORD": "hunter2", "REDIS_PASSWORD": "hunter2"},
	)
	require.ErrorContains(t, err, "DATABASE_URL is required")
	require.ErrorContains(t, err, "REDIS_URL is required")
	_, err = load(map[string]string{"DATABASE_URL": "mysql://db", "DATABASE_PASSWORD": "hunter2"})
	require.ErrorContains(t, err, "DATABASE_URL")
	require.NotContains(t, err.Error(), "hunter2")
}
