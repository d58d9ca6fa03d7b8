package reseller

import (
	"context"
	"slices"
	"sync"
	"time"

	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

const (
	groupsAge   = 5 * time.Minute  // of the groups that the API listed, or of its refusal
	groupsPause = 30 * time.Second // before trying again when it did not answer
	groupsWait  = 5 * time.Second  // of the call
)

// groupCache keeps the billing groups that the API lists.
type groupCache struct {
	mu     sync.Mutex // held during the call, so that callers share it
	listed []wave.BillingGroup
	err    error
	until  time.Time
}

// BillingGroups returns the billing groups by name. When the API does not list
// them, which its role for this server may forbid, they are those of the accounts
// and complete is false. It fails only when the accounts are not known either.
func (d *Directory) BillingGroups(ctx context.Context) (groups []wave.BillingGroup, complete bool, err error) {
	listed, err := d.groups.get(ctx, d)
	if err == nil {
		return listed, true, nil
	}
	snap, err := d.Current(ctx)
	if err != nil {
		return nil, false, err
	}
	return snap.billingGroups(), false, nil
}

func (g *groupCache) get(ctx context.Context, d *Directory) ([]wave.BillingGroup, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if d.o.Now().Before(g.until) {
		return g.listed, g.err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), groupsWait)
	defer cancel()
	listed, err := d.api.ListBillingGroups(ctx)
	age := groupsAge
	switch {
	case err == nil:
		g.listed, g.err = ordered(listed, d.o.Fold), nil
	case fault.Is(err, fault.Denied), fault.Is(err, fault.NotFound):
		g.listed, g.err = nil, err
	default: // a moment's trouble: what was listed before is better than nothing
		d.o.Log.Warn("the billing groups could not be read", "err", err)
		age = groupsPause
		if g.listed == nil {
			g.err = err
		}
	}
	g.until = d.o.Now().Add(age)
	return g.listed, g.err
}

// ordered returns the groups that can be given to an account, by name.
func ordered(list []wave.BillingGroup, fold func(string) string) []wave.BillingGroup {
	groups := make([]group, 0, len(list))
	for _, g := range list {
		if g.CompanyID != "" {
			groups = append(groups, group{g, fold(g.Name)})
		}
	}
	slices.SortStableFunc(groups, func(a, b group) int { return compareGroup(&a, &b) })
	out := make([]wave.BillingGroup, len(groups))
	for i, g := range groups {
		out[i] = g.BillingGroup
	}
	return out
}
