package reseller_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// TestPostgres runs the tests of what is recorded once more.
func TestPostgres(t *testing.T) {
	engine = dbtest.Postgres
	defer func() { engine = dbtest.SQLite }()
	for name, test := range map[string]func(*testing.T){
		"Service_ChangeMeta":                               TestService_ChangeMeta,
		"Service_ChangeMeta_meetsOthers":                   TestService_ChangeMeta_meetsOthers,
		"Service_UndoMeta":                                 TestService_UndoMeta,
		"Service_UndoMeta_refuses":                         TestService_UndoMeta_refuses,
		"Service_UndoMeta_meetsAChangedFlag":               TestService_UndoMeta_meetsAChangedFlag,
		"Service_UndoMeta_accountIsGone":                   TestService_UndoMeta_accountIsGone,
		"Service_ChangeMeta_accountIsGone":                 TestService_ChangeMeta_accountIsGone,
		"Service_Create":                                   TestService_Create,
		"Service_Create_aSubmissionOnce":                   TestService_Create_aSubmissionOnce,
		"Service_Create_twiceAtOnce":                       TestService_Create_twiceAtOnce,
		"Service_Delete":                                   TestService_Delete,
		"Service_ReplacePassword":                          TestService_ReplacePassword,
		"Service_lockedAccount":                            TestService_lockedAccount,
		"Service_ledgerFails":                              TestService_ledgerFails,
		"Service_ChangeMeta_isFinishedThoughTheCallerLeft": TestService_ChangeMeta_isFinishedThoughTheCallerLeft,
		"Service_ChangeMeta_leftBeforeAnythingWasSent":     TestService_ChangeMeta_leftBeforeAnythingWasSent,
		"Service_manyAtOnceLoseNothing":                    TestService_manyAtOnceLoseNothing,
		"Service_PlanUndo":                                 TestService_PlanUndo,
		"Service_PlanRestore":                              TestService_PlanRestore,
		"Service_Decide":                                   TestService_Decide,
		"Service_Decide_refuses":                           TestService_Decide_refuses,
		"Service_Run_settles":                              TestService_Run_settles,
		"Service_Run_afterRecover":                         TestService_Run_afterRecover,
		"Service_Run_outlastsAnOutage":                     TestService_Run_outlastsAnOutage,
	} {
		t.Run(name, test)
	}
}

// People who work on two servers lose nothing of what each other did.
func TestPostgres_twoServersLoseNothing(t *testing.T) {
	url := dbtest.Postgres.Ready(t)
	api := newWave(account("u1"), account("u2"))
	var servers []*site
	for range 2 {
		s := &site{wave: api, dir: newDirectory(t, api)}
		s.start(t, dbtest.Open(t, url), reseller.Rules{})
		servers = append(servers, s)
	}
	keys := []wave.Key{"invoice", "open_api", "usage_tag", "usage_group"}
	var wg sync.WaitGroup
	for i, key := range keys {
		for j, id := range []wave.UserID{"u1", "u2"} {
			wg.Go(func() {
				actor := auth.Actor{Issuer: "idp", Subject: fmt.Sprint(i), Role: auth.Editor}
				on := true
				for round := 0; round < 5; { // on, off, on, off, on
					_, err := servers[(i+j)%2].ChangeMeta(t.Context(), set(actor, id, on, key))
					if e, ok := errors.AsType[*reseller.ConflictError](err); ok && e.Why == reseller.BeingChanged {
						continue // a person would press Save again
					}
					if err != nil {
						t.Errorf("%s: %v", key, err)
						return
					}
					on = !on
					round++
				}
			})
		}
	}
	wg.Wait()
	for _, id := range []wave.UserID{"u1", "u2"} {
		now, _ := api.get(id)
		for _, key := range keys {
			if !now.Meta.On(key) {
				t.Errorf("%s of %s was lost", key, id)
			}
		}
	}
	list, _, err := servers[0].ledger.List(t.Context(), change.Filter{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	for _, c := range list {
		if c.State == change.Done {
			done++
		}
	}
	if want := 2 * 5 * len(keys); done != want || api.count("meta") != want {
		t.Errorf("%d changes done with %d calls, want %d", done, api.count("meta"), want)
	}
}
