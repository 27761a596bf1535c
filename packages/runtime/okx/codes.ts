/**
 * What a numeric code of OKX says about a request, by what the caller may do next.
 *
 * | class | may the request have been carried out | next |
 * |---|---|---|
 * | `ok` | yes | go on; each row has a code of its own |
 * | `row` | the row's own code says | without a row: unknown |
 * | `not_accepted` | no | back off; the same id again, before the stored deadline only |
 * | `unknown`, `maintenance` | maybe | never again; look it up by its id |
 * | `exists` | an order of this id is there | look it up, adopt it |
 * | `expired` | no | terminal |
 * | `rejected` | no | terminal, the code is kept |
 * | `flat` | no | terminal: there is nothing, or less, to reduce; the books are behind the venue |
 * | `stop_passed` | no | the trigger's price is already reached: close now |
 * | `credential`, `config` | no | HALT: the key or the account's set-up is not what the desk assumes |
 * | `frozen` | no | REDUCING: the venue restrains the account or the instrument |
 * | `cancel_race` | not about placing | the order moved meanwhile: read it again |
 */
export type CodeClass =
  | "ok"
  | "row"
  | "not_accepted"
  | "unknown"
  | "maintenance"
  | "exists"
  | "expired"
  | "rejected"
  | "flat"
  | "stop_passed"
  | "credential"
  | "config"
  | "frozen"
  | "cancel_race";

/** What a request does, as far as codes differ by it. */
export type Operation = "place" | "cancel" | "amend" | "query" | "algo" | "account";

/** The requests that may answer with a code: one kind of them, any, or those that only demo trading has. */
type Scope = Operation | "any" | "demo";

// Every code that a request of this desk can meet, in order. The remark is our reading of the documented text.
// Source: OKX v5, error codes, as of 2026-06-27; ccxt 4.5.84, okx.ts, `exceptions`.
const CODES: readonly (readonly [code: string, meaning: CodeClass, scope: Scope])[] = [
  ["0", "ok", "any"], // success; still read each row's sCode
  ["1", "row", "any"], // whole request failed; the row's sCode decides, without a row: unknown
  ["2", "row", "any"], // batch partly done; the row's sCode decides
  ["4088", "frozen", "any"], // identity must be verified again before trading
  ["50000", "rejected", "any"], // body missing
  ["50001", "maintenance", "any"], // service unavailable (matching engine upgrade); a placement may have been taken
  ["50002", "rejected", "any"], // body is no JSON
  ["50004", "unknown", "any"], // gateway timed out; says nothing of the order
  ["50005", "config", "any"], // endpoint withdrawn or offline
  ["50006", "rejected", "any"], // wrong content type
  ["50007", "frozen", "any"], // user blocked
  ["50008", "credential", "any"], // user unknown
  ["50009", "frozen", "any"], // account frozen by a stop-out
  ["50010", "rejected", "any"], // user id empty
  ["50011", "not_accepted", "any"], // request rate exceeded (HTTP 200 or 429)
  ["50012", "frozen", "any"], // account status does not allow it
  ["50013", "unknown", "any"], // system busy; treat a placement as possibly taken
  ["50014", "rejected", "any"], // required field empty
  ["50015", "rejected", "any"], // one of two fields needed
  ["50016", "rejected", "any"], // two fields contradict
  ["50017", "frozen", "place"], // position frozen during ADL; retry later, page
  ["50018", "frozen", "place"], // currency frozen during ADL
  ["50019", "frozen", "place"], // account frozen during ADL
  ["50020", "frozen", "place"], // position frozen during liquidation
  ["50021", "frozen", "place"], // currency frozen during liquidation
  ["50022", "frozen", "place"], // account frozen during liquidation
  ["50023", "not_accepted", "place"], // funding being settled; seconds
  ["50024", "rejected", "any"], // two fields exclude each other
  ["50025", "rejected", "any"], // too many items
  ["50026", "unknown", "any"], // internal error
  ["50027", "frozen", "any"], // account restricted from trading
  ["50028", "frozen", "place"], // order refused for this account
  ["50029", "frozen", "any"], // risk control of the venue restricts the account
  ["50030", "credential", "any"], // no permission for the endpoint
  ["50032", "config", "place"], // currency prohibited by the account's own setting
  ["50033", "config", "place"], // instrument blocked by the account's own setting
  ["50035", "credential", "any"], // endpoint needs a key bound to an IP
  ["50036", "expired", "place"], // expTime already past at receipt; not placed
  ["50037", "expired", "place"], // processed after expTime; not placed
  ["50038", "config", "any"], // not available in demo
  ["50039", "rejected", "query"], // cursor of this kind not supported
  ["50040", "not_accepted", "any"], // too frequent
  ["50041", "credential", "any"], // user not on the allow-list
  ["50042", "unknown", "any"], // repeated request: the first may have been taken
  ["50046", "maintenance", "any"], // feature withdrawn for maintenance
  ["50051", "config", "any"], // feature barred by region
  ["50052", "config", "place"], // crypto barred by law
  ["50053", "config", "any"], // demo only
  ["50055", "rejected", "demo"], // asset reset at most 5 a day
  ["50059", "frozen", "any"], // further regulatory step needed
  ["50060", "frozen", "any"], // identity check needed
  ["50061", "not_accepted", "place"], // account order rate (1,000 new or amended in 2 s)
  ["50062", "maintenance", "any"], // feature unavailable now
  ["50067", "config", "any"], // cross-site trading not supported
  ["50069", "rejected", "place"], // margin check of the risk unit failed
  ["50071", "exists", "place"], // id exists
  ["50072", "config", "place"], // isolated margin no longer offered in this account mode
  ["50075", "rejected", "place"], // token restricted for this account kind
  ["50076", "rejected", "query"], // date span too long (days)
  ["50077", "rejected", "query"], // date span too long (months)
  ["50100", "credential", "any"], // key frozen
  ["50101", "credential", "any"], // key of the other environment (demo or live)
  ["50102", "not_accepted", "any"], // timestamp off by more than 30 s; sync the clock once
  ["50103", "credential", "any"], // key header missing
  ["50104", "credential", "any"], // passphrase header missing
  ["50105", "credential", "any"], // passphrase wrong
  ["50106", "credential", "any"], // signature header missing
  ["50107", "credential", "any"], // timestamp header missing
  ["50108", "config", "any"], // exchange id unknown
  ["50109", "config", "any"], // domain unknown
  ["50110", "credential", "any"], // caller's IP not on the key's list
  ["50111", "credential", "any"], // key invalid
  ["50112", "credential", "any"], // timestamp malformed
  ["50113", "credential", "any"], // signature invalid
  ["50114", "credential", "any"], // authorization invalid
  ["50115", "rejected", "any"], // wrong HTTP method
  ["50118", "credential", "any"], // broker must share its IP
  ["50119", "credential", "any"], // key does not exist
  ["50120", "credential", "any"], // key lacks this permission
  ["50121", "credential", "any"], // service not offered to this IP
  ["50122", "rejected", "place"], // below the minimum amount
  ["51000", "rejected", "any"], // a field is wrong; the message names it
  ["51001", "rejected", "any"], // instrument unknown
  ["51002", "rejected", "any"], // instrument and index differ
  ["51003", "rejected", "any"], // an order id is needed
  ["51004", "rejected", "place"], // position plus orders above the tier at this leverage
  ["51005", "rejected", "place"], // above the maximum order size
  ["51006", "rejected", "place"], // price outside the price limit
  ["51007", "rejected", "place"], // below one contract
  ["51008", "rejected", "place"], // margin or balance insufficient
  ["51009", "frozen", "place"], // placing blocked by the platform
  ["51010", "config", "place"], // account mode does not allow it
  ["51011", "exists", "place"], // order id duplicated
  ["51012", "rejected", "any"], // token unknown
  ["51014", "rejected", "any"], // index unknown
  ["51015", "rejected", "any"], // instrument and type differ
  ["51016", "exists", "place"], // clOrdId duplicated among pending orders
  ["51017", "rejected", "place"], // borrowing above limit
  ["51018", "rejected", "place"], // net short options not allowed
  ["51019", "rejected", "place"], // net long options not allowed
  ["51020", "rejected", "place"], // below the minimum order size
  ["51021", "rejected", "place"], // instrument not listed yet
  ["51022", "rejected", "place"], // instrument suspended
  ["51023", "flat", "any"], // position does not exist
  ["51024", "frozen", "any"], // trading account blocked
  ["51025", "rejected", "place"], // too many orders
  ["51026", "rejected", "any"], // type and index differ
  ["51027", "rejected", "place"], // contract expired
  ["51028", "rejected", "place"], // contract under delivery
  ["51029", "not_accepted", "place"], // contract being settled
  ["51030", "not_accepted", "place"], // funding being settled
  ["51031", "rejected", "place"], // price outside the closing range
  ["51032", "flat", "place"], // the position is already being closed at market
  ["51033", "rejected", "place"], // per-order total reached
  ["51037", "rejected", "place"], // only IOC that lowers risk allowed now
  ["51043", "flat", "any"], // isolated position does not exist
  ["51044", "rejected", "algo"], // this order type takes no TP or SL
  ["51046", "stop_passed", "algo"], // take-profit trigger must be above the order price
  ["51047", "stop_passed", "algo"], // stop trigger must be below the order price
  ["51048", "stop_passed", "algo"], // take-profit trigger must be below the order price
  ["51049", "stop_passed", "algo"], // stop trigger must be above the order price
  ["51050", "stop_passed", "algo"], // take-profit trigger must be above the best ask
  ["51051", "stop_passed", "algo"], // stop trigger must be below the best ask
  ["51052", "stop_passed", "algo"], // take-profit trigger must be below the best bid
  ["51053", "stop_passed", "algo"], // stop trigger must be above the best bid
  ["51054", "unknown", "any"], // request timed out
  ["51056", "rejected", "any"], // action not allowed
  ["51058", "flat", "algo"], // no position for this algo order
  ["51059", "cancel_race", "algo"], // the algo order's state does not allow it
  ["51063", "cancel_race", "query"], // order id does not exist
  ["51065", "exists", "algo"], // algoClOrdId duplicated
  ["51066", "rejected", "place"], // options take no market order
  ["51068", "exists", "algo"], // id already used as algoClOrdId or attachAlgoClOrdId
  ["51070", "config", "account"], // requirements for the account mode not met
  ["51071", "rejected", "account"], // more than 20 live tag-level cancel-all-after timers
  ["51076", "rejected", "algo"], // split take-profits are one-way only
  ["51077", "rejected", "algo"], // split take-profits not for spot or margin
  ["51079", "rejected", "algo"], // too many take-profits in one order
  ["51080", "rejected", "algo"], // trigger types of split take-profits differ
  ["51081", "rejected", "algo"], // trigger prices of split take-profits equal
  ["51082", "rejected", "algo"], // split take-profits must be market
  ["51083", "rejected", "algo"], // sizes of split take-profits do not sum to the order
  ["51084", "rejected", "algo"], // too many stops in one order
  ["51085", "rejected", "algo"], // cost-price stop needs two take-profits
  ["51086", "rejected", "algo"], // too many attached orders
  ["51087", "rejected", "place"], // listing canceled
  ["51088", "exists", "algo"], // the position already has its one whole-position TP/SL
  ["51089", "rejected", "algo"], // size of a split take-profit missing
  ["51090", "rejected", "amend"], // size of a stop with limit TP is fixed
  ["51091", "rejected", "algo"], // take-profits of one order must be of one kind
  ["51092", "rejected", "algo"], // limit take-profit prices equal
  ["51093", "rejected", "algo"], // limit take-profit cannot be market
  ["51094", "rejected", "algo"], // limit take-profit not for this product
  ["51095", "rejected", "algo"], // limit take-profit needs a stop with it
  ["51096", "rejected", "algo"], // limit take-profit needs cxlOnClosePos
  ["51098", "rejected", "amend"], // no new take-profit onto such a stop
  ["51100", "rejected", "algo"], // no TP/SL on a reduce-only order
  ["51101", "rejected", "place"], // size above the per-order maximum
  ["51102", "rejected", "place"], // too many pending orders of the instrument
  ["51103", "rejected", "place"], // too many pending orders of the family
  ["51104", "rejected", "place"], // pending contracts of the family above limit
  ["51105", "rejected", "place"], // position plus orders above the contract limit
  ["51106", "rejected", "place"], // position plus orders above the family limit
  ["51107", "rejected", "place"], // both directions above the limit
  ["51108", "rejected", "place"], // position too large for one market close: slice it
  ["51109", "not_accepted", "place"], // no offers now
  ["51110", "rejected", "place"], // limit orders only, after the auction began
  ["51111", "rejected", "place"], // batch too large
  ["51112", "flat", "place"], // close size above what can be closed
  ["51113", "not_accepted", "place"], // market closes too frequent (HTTP 429)
  ["51115", "flat", "place"], // pending close orders must be canceled first (HTTP 429)
  ["51116", "rejected", "place"], // price or trigger beyond the bound
  ["51117", "rejected", "place"], // too many pending close orders
  ["51118", "rejected", "place"], // total below the per-order minimum
  ["51119", "rejected", "place"], // balance insufficient
  ["51120", "rejected", "place"], // below the minimum
  ["51121", "rejected", "place"], // no multiple of the lot
  ["51122", "rejected", "place"], // price below the minimum
  ["51123", "rejected", "place"], // no price increment known
  ["51124", "rejected", "place"], // limit orders only during call auction
  ["51127", "rejected", "place"], // available balance is zero
  ["51128", "config", "place"], // no cross margin in this mode
  ["51129", "rejected", "place"], // position limit reached
  ["51130", "config", "place"], // margin currency wrong
  ["51131", "rejected", "place"], // balance insufficient
  ["51132", "flat", "place"], // position below the tradable minimum (dust)
  ["51133", "config", "place"], // reduce-only not for spot in this mode
  ["51134", "flat", "place"], // close failed: look at holdings and pending orders
  ["51135", "rejected", "place"], // closing price above the limit
  ["51136", "rejected", "place"], // closing price below the limit
  ["51137", "rejected", "place"], // buy price above the limit
  ["51138", "rejected", "place"], // sell price below the limit
  ["51139", "config", "place"], // reduce-only not for spot in this mode
  ["51140", "not_accepted", "place"], // no offers
  ["51142", "not_accepted", "place"], // no valid quotation now
  ["51147", "rejected", "place"], // options need more equity
  ["51148", "flat", "place"], // would cross an existing reduce-only order into a reverse position
  ["51149", "unknown", "place"], // order timed out (HTTP 500); says nothing of the order
  ["51150", "rejected", "place"], // too many decimals
  ["51155", "config", "place"], // pair barred by region
  ["51162", "rejected", "account"], // open orders stand in the way
  ["51163", "rejected", "account"], // positions stand in the way
  ["51165", "rejected", "place"], // too many reduce-only orders of the instrument
  ["51168", "rejected", "place"], // reduce-only orders stand in the way
  ["51169", "flat", "place"], // nothing to reduce in this direction
  ["51170", "flat", "place"], // reduce-only in the direction of the position
  ["51171", "flat", "amend"], // edit would turn the position round
  ["51174", "rejected", "place"], // too many pending orders
  ["51175", "rejected", "any"], // one of the fields is needed
  ["51176", "rejected", "any"], // only one of the fields may be given
  ["51178", "rejected", "algo"], // attached id without trigger and price
  ["51180", "rejected", "any"], // field out of range
  ["51181", "rejected", "place"], // must be a limit order
  ["51185", "rejected", "place"], // order value above the maximum
  ["51186", "config", "place"], // leverage set above the platform's limit
  ["51187", "rejected", "place"], // platform limit of position plus orders
  ["51196", "rejected", "place"], // limit orders only in the pre-quote phase
  ["51197", "rejected", "place"], // limit orders only after the pre-quote phase began
  ["51201", "rejected", "place"], // market order value above the maximum
  ["51202", "rejected", "place"], // market order size above maxMktSz
  ["51203", "rejected", "place"], // size above the limit
  ["51204", "rejected", "place"], // limit order without a price
  ["51205", "config", "place"], // reduce-only not available
  ["51206", "rejected", "place"], // cancel the reduce-only order first
  ["51207", "rejected", "place"], // too large for one market close: slice it
  ["51209", "rejected", "place"], // only delta-reducing orders allowed now
  ["51210", "rejected", "place"], // one order per underlying allowed now
  ["51211", "rejected", "place"], // only delta-reducing orders allowed now
  ["51212", "rejected", "place"], // batches not allowed now
  ["51213", "rejected", "place"], // one order per underlying allowed now
  ["51214", "rejected", "amend"], // only delta-reducing edits allowed now
  ["51250", "rejected", "algo"], // price out of range
  ["51252", "rejected", "algo"], // size out of range
  ["51257", "rejected", "algo"], // callback rate out of range
  ["51258", "stop_passed", "algo"], // trailing sell trigger must be above the last price
  ["51259", "stop_passed", "algo"], // trailing buy trigger must be below the last price
  ["51260", "rejected", "algo"], // too many pending trailing stops
  ["51261", "rejected", "algo"], // too many pending stop orders
  ["51275", "rejected", "algo"], // above maxStopSz: slice the stop
  ["51276", "rejected", "algo"], // stop-market order with a price
  ["51277", "stop_passed", "algo"], // take-profit trigger above last
  ["51278", "stop_passed", "algo"], // stop trigger below last
  ["51279", "stop_passed", "algo"], // take-profit trigger below last
  ["51280", "stop_passed", "algo"], // stop trigger above last
  ["51281", "rejected", "algo"], // trigger order takes no tgtCcy
  ["51298", "config", "algo"], // trigger orders not in net mode of swaps
  ["51299", "rejected", "algo"], // too many orders of this kind
  ["51300", "stop_passed", "algo"], // take-profit trigger above mark
  ["51302", "stop_passed", "algo"], // stop trigger below mark
  ["51303", "stop_passed", "algo"], // take-profit trigger below mark
  ["51304", "stop_passed", "algo"], // stop trigger above mark
  ["51305", "stop_passed", "algo"], // take-profit trigger above index
  ["51306", "stop_passed", "algo"], // stop trigger below index
  ["51307", "stop_passed", "algo"], // take-profit trigger below index
  ["51308", "stop_passed", "algo"], // stop trigger above index
  ["51311", "rejected", "algo"], // trailing callback out of range
  ["51312", "rejected", "algo"], // trailing size out of range
  ["51317", "rejected", "algo"], // no trigger orders on margin
  ["51327", "rejected", "algo"], // closeFraction only for futures and swaps
  ["51328", "rejected", "algo"], // closeFraction needs reduceOnly
  ["51329", "config", "algo"], // closeFraction needs net mode
  ["51330", "rejected", "algo"], // closeFraction needs a stop-market order
  ["51331", "rejected", "algo"], // closeFraction only for closing
  ["51332", "config", "algo"], // closeFraction not in portfolio margin
  ["51333", "rejected", "algo"], // a closing order takes no attached TP/SL
  ["51341", "rejected", "place"], // closing not allowed
  ["51342", "exists", "place"], // a closing order exists
  ["51400", "cancel_race", "cancel"], // filled, canceled or never there: refetch
  ["51401", "cancel_race", "cancel"], // already canceled
  ["51402", "cancel_race", "cancel"], // already completed
  ["51403", "rejected", "cancel"], // kind cannot be canceled
  ["51404", "rejected", "cancel"], // not in this phase of the call auction
  ["51405", "cancel_race", "cancel"], // nothing pending
  ["51406", "rejected", "cancel"], // too many
  ["51407", "rejected", "cancel"], // id needed
  ["51408", "rejected", "cancel"], // instrument and order differ
  ["51409", "rejected", "cancel"], // instrument needed
  ["51410", "cancel_race", "cancel"], // already canceling or settling
  ["51411", "credential", "cancel"], // no permission for mass cancel
  ["51412", "unknown", "cancel"], // cancel timed out: refetch
  ["51413", "rejected", "cancel"], // endpoint does not cancel this kind
  ["51415", "rejected", "algo"], // spot triggers by last price only
  ["51416", "cancel_race", "cancel"], // algo already triggered: look for its child order
  ["51500", "rejected", "amend"], // nothing to change
  ["51501", "rejected", "amend"], // too many
  ["51502", "rejected", "amend"], // balance insufficient
  ["51503", "cancel_race", "amend"], // already filled or canceled
  ["51506", "rejected", "amend"], // kind cannot be amended
  ["51508", "rejected", "amend"], // not in call auction
  ["51509", "cancel_race", "amend"], // already canceled
  ["51510", "cancel_race", "amend"], // already completed
  ["51511", "rejected", "amend"], // post-only price would take
  ["51512", "rejected", "amend"], // duplicates in the batch
  ["51513", "not_accepted", "amend"], // three amendments under way
  ["51514", "rejected", "amend"], // price text too long
  ["51521", "flat", "amend"], // no position to reduce
  ["51522", "flat", "amend"], // reduce-only in the direction of the position
  ["51523", "rejected", "amend"], // order price of a whole-position stop is fixed
  ["51524", "rejected", "amend"], // size of a whole-position stop is fixed
  ["51527", "cancel_race", "amend"], // an attached order is gone
  ["51528", "rejected", "amend"], // trigger type is fixed
  ["51529", "rejected", "amend"], // stop amendment only for futures and swaps
  ["51531", "rejected", "amend"], // a stop must keep one leg
  ["51532", "cancel_race", "amend"], // TP/SL partly triggered
  ["51538", "rejected", "amend"], // needs attachAlgoOrds
  ["51539", "rejected", "amend"], // ids of split take-profits equal
  ["51543", "rejected", "amend"], // only prices can change here
  ["51600", "cancel_race", "query"], // status not found
  ["51601", "rejected", "query"], // status and id exclude each other
  ["51602", "rejected", "query"], // status or id needed
  ["51603", "cancel_race", "query"], // order does not exist (or forgotten: unfilled canceled after 2 h)
  ["54000", "config", "place"], // margin trading not supported
  ["54004", "rejected", "place"], // batch failed as a whole
  ["54005", "config", "place"], // pre-market futures need isolated
  ["54006", "rejected", "place"], // pre-market position limit
  ["54007", "rejected", "place"], // instrument not supported
  ["54008", "config", "place"], // disabled by the mass-cancel endpoint until enabled again
  ["54009", "rejected", "any"], // out of range
  ["54011", "rejected", "place"], // only reducing in the hour before delivery
  ["54012", "frozen", "place"], // depth protection: only cancel, add margin, post-only; no liquidation meanwhile
  ["54024", "config", "place"], // collateral currency not enabled
  ["54025", "config", "place"], // collateral currency not enabled
  ["54030", "rejected", "place"], // same-direction value above the limit
  ["54031", "rejected", "place"], // platform open-interest limit
  ["54035", "rejected", "place"], // collateral limit: reduce-only only
  ["54036", "rejected", "place"], // FOK against self-trade setting
  ["54070", "config", "any"], // function no longer supported
  ["54071", "rejected", "amend"], // order can no longer be amended after an upgrade
  ["54072", "rejected", "place"], // contract is view-only
  ["54073", "rejected", "place"], // settlement currency at risk
  ["54092", "config", "place"], // disclaimer to be accepted by hand
  ["58350", "rejected", "account"], // balance insufficient
  ["59000", "config", "account"], // positions or orders stand in the way of a setting
  ["59001", "config", "account"], // borrowings stand in the way
  ["59100", "config", "account"], // positions stand in the way of leverage
  ["59101", "config", "account"], // pending isolated orders stand in the way of leverage
  ["59102", "config", "account"], // leverage above the maximum
  ["59103", "config", "account"], // margin insufficient at this leverage
  ["59104", "config", "account"], // borrowed position too large for this leverage
  ["59105", "config", "account"], // leverage below the minimum
  ["59106", "config", "account"], // margin of the tier exceeded
  ["59107", "config", "account"], // pending cross orders stand in the way of leverage
  ["59108", "config", "account"], // leverage too low for the margin
  ["59109", "config", "account"], // equity below the margin after the change
  ["59112", "config", "account"], // pending orders stand in the way of leverage
  ["59113", "config", "account"], // margin barred by region
  ["59200", "rejected", "account"], // balance insufficient
  ["59216", "flat", "any"], // position does not exist
  ["59218", "flat", "any"], // position already being closed
  ["59300", "flat", "account"], // margin change on no position
  ["59301", "rejected", "account"], // margin change above limit
  ["59302", "rejected", "account"], // pending close order stands in the way
  ["59506", "credential", "any"], // key does not exist
  ["59508", "frozen", "any"], // sub-account suspended
  ["59519", "frozen", "any"], // function frozen
  ["59668", "config", "account"], // isolated algo orders stand in the way of leverage
  ["59669", "config", "account"], // cross algo orders stand in the way of leverage
  ["59670", "config", "account"], // too many open orders to change leverage
  ["59683", "config", "account"], // settlement currency must be collateral first
];

const BY_CODE: ReadonlyMap<string, { readonly meaning: CodeClass; readonly scope: Scope }> = new Map(
  CODES.map(([code, meaning, scope]) => [code, { meaning, scope }]),
);

/**
 * Returns what `code` says about a request that does `operation`; `unlisted` for a code that is not in the table, or there
 * for requests of another kind: for a placement that is as good as unknown. An HTTP status alone is never a verdict.
 */
export function classOf(code: string, operation: Operation): CodeClass | "unlisted" {
  const found = BY_CODE.get(code);
  if (found === undefined) return "unlisted";
  return found.scope === "any" || found.scope === operation ? found.meaning : "unlisted";
}
