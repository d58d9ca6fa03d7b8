package bulk

import (
	"context"

	"waveadmin/internal/auth"
)

// ProofAbove is the number of accounts above which a run is grave.
const ProofAbove = 20

// grave reports whether p does too much for whoever finds a browser left open: what
// cannot be taken back, or much at once.
func (p *Plan) grave(sum Sum) bool {
	return p.Kind == Deletions || p.Kind == Passwords || sum.Accounts > ProofAbove
}

// checkProof fails with auth.ErrProofNeeded when the person of ctx first has to prove
// who they are.
func (r *Runs) checkProof(ctx context.Context, p *Plan, sum Sum) error {
	if r.o.Proved == nil || !p.grave(sum) || r.o.Proved(ctx) {
		return nil
	}
	return auth.ErrProofNeeded
}
