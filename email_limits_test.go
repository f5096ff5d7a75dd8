package watchparty_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// A new kind of email fails here until emailRules says what it counts against and goes before.
func TestEveryKindOfEmailHasARule(t *testing.T) {
	for _, kind := range watchparty.EmailKinds() {
		rule, known := kind.Rule()
		require.True(t, known, kind)
		require.NotEmpty(t, rule.Recipient, kind)
		require.NotZero(t, rule.Priority, kind)
		require.Equal(t, rule.Requester != "", rule.Client == watchparty.BudgetClient, "%s: whoever asks has a client", kind)
	}
	rule, known := watchparty.EmailKind("forgotten").Rule()
	require.False(t, known)
	require.Equal(t, []watchparty.EmailBudget{watchparty.BudgetRecipient}, rule.Recipient)
	require.Equal(t, watchparty.PriorityNormal, rule.Priority)
}

// TestEmailPriorities: what a person waits for goes before what nobody waits for.
func TestEmailPriorities(t *testing.T) {
	order := [][]watchparty.EmailKind{
		{watchparty.EmailReset, watchparty.EmailVerification},
		{watchparty.EmailWelcome, watchparty.EmailAddressChanged, watchparty.EmailPasswordChanged,
			watchparty.EmailPartyReminder, watchparty.EmailPartyChanged, watchparty.EmailPartyCancelled},
		{watchparty.EmailRoomInvitation},
		{watchparty.EmailWelcomeReminder, watchparty.EmailInvitationReminder, watchparty.EmailActivityReport},
	}
	require.ElementsMatch(t, watchparty.EmailKinds(), slices.Concat(order...))
	for i, kinds := range order {
		for _, kind := range kinds {
			rule, _ := kind.Rule()
			require.Equal(t, watchparty.Priority(i+1), rule.Priority, kind)
		}
	}
}

// TestEmailKindsAreAll: a kind that is declared is listed, so that the tests of every kind see it.
func TestEmailKindsAreAll(t *testing.T) {
	source, err := os.ReadFile("email.go")
	require.NoError(t, err)
	var declared []watchparty.EmailKind
	for _, found := range regexp.MustCompile(`\bEmailKind += "(\w+)"`).FindAllSubmatch(source, -1) {
		declared = append(declared, watchparty.EmailKind(found[1]))
	}
	require.ElementsMatch(t, declared, watchparty.EmailKinds())
}

func TestEmailLimits(t *testing.T) {
	for budget, want := range map[watchparty.EmailBudget]watchparty.EmailLimit{
		watchparty.BudgetRecipient: {Hour: 5, Day: 20}, watchparty.BudgetInvitee: {Hour: 3, Day: 10},
		watchparty.BudgetNotice:          {Hour: 5, Day: 20},
		watchparty.BudgetReportRecipient: {Hour: 20, Day: 20}, watchparty.BudgetRequester: {Hour: 5, Day: 20},
		watchparty.BudgetInviter: {Hour: 50, Day: 100},
		watchparty.BudgetClient:  {Hour: 100, Day: 400}, watchparty.BudgetReset: {Hour: 5, Day: 20},
		watchparty.BudgetAccounts: {Hour: 1000, Day: 4000},
	} {
		require.Equal(t, want, budget.Limit(5), budget)
		least := budget.Limit(1)
		require.GreaterOrEqual(t, least.Hour, 1, budget)
		require.GreaterOrEqual(t, least.Day, least.Hour, budget)
	}
}
