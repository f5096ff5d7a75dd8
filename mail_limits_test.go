package watchparty_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// A new kind of email fails here until mailRules says what it counts against.
func TestEveryKindOfMailHasARule(t *testing.T) {
	for _, kind := range watchparty.MailKinds() {
		rule, known := kind.Rule()
		require.True(t, known, kind)
		require.NotEmpty(t, rule.Recipient, kind)
		require.Equal(t, rule.Asker != "", rule.Client == watchparty.BudgetClient, "%s: whoever asks has a client", kind)
	}
	rule, known := watchparty.MailKind("forgotten").Rule()
	require.False(t, known)
	require.Equal(t, []watchparty.MailBudget{watchparty.BudgetRecipient}, rule.Recipient)
}

func TestMailLimits(t *testing.T) {
	for budget, want := range map[watchparty.MailBudget]watchparty.MailLimit{
		watchparty.BudgetRecipient: {Hour: 5, Day: 20}, watchparty.BudgetInvitee: {Hour: 3, Day: 10}, watchparty.BudgetNotice: {Hour: 5, Day: 20},
		watchparty.BudgetReader: {Hour: 20, Day: 20}, watchparty.BudgetAsker: {Hour: 5, Day: 20}, watchparty.BudgetInviter: {Hour: 50, Day: 100},
		watchparty.BudgetClient: {Hour: 100, Day: 400}, watchparty.BudgetReset: {Hour: 5, Day: 20}, watchparty.BudgetAccounts: {Hour: 1000, Day: 4000},
	} {
		require.Equal(t, want, budget.Limit(5), budget)
		least := budget.Limit(1)
		require.GreaterOrEqual(t, least.Hour, 1, budget)
		require.GreaterOrEqual(t, least.Day, least.Hour, budget)
	}
}
