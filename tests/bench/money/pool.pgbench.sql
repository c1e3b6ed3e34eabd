\set n :first + :client_id * :each + :i
\set i :i + 1
SELECT api.settle(format('rec-chg_%s-1-1', :n::bigint), 0, format('{"effect":"restore","refund_id":"rfd_%1$s","restoration":{"charge_id":"chg_%1$s","run_id":"run_%1$s","account_id":"acc_pool_single","items":[{"item":1,"credits":10}],"lines":[{"source":"pool_single","target":"pool_single","target_kind":"workspace_pool","amount":10}]},"cause":"provider_failed"}', :n::bigint)::jsonb, 0);
