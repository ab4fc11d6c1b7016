// Results.tsx - what a filter found, newest first, page after page; the count, and the way out as CSV.
import { useEffect, useState } from "preact/hooks";
import { get } from "../../api/http";
import type { FoundList, Inquiry } from "../../api/shapes";
import { num } from "../../format/number";
import { onEvents } from "../../live/feed";
import { session } from "../../session";
import { fill, text } from "../../text";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { Empty } from "../../ui/Empty";
import { Fault } from "../../ui/Fault";
import { InquiryTable } from "../../ui/InquiryTable";
import { Loading } from "../../ui/Loading";
import { Panel } from "../../ui/Panel";
import { useAsked } from "../../ui/useAsked";
import { BadFilter, isBadFilter } from "./BadFilter";
import { Csv } from "./Csv";

const PAGE = 50;

const pathOf = (query: string, after?: string): string =>
    `/v1/inquiries?q=${encodeURIComponent(query)}&limit=${PAGE}` + (after ? `&after=${encodeURIComponent(after)}` : "&count=1");

function countText(list: FoundList): string {
    const t = text().search;
    if (list.count === undefined) return "";
    const all = list.counted_all === undefined || Boolean(list.counted_all);
    return fill(all ? t.count : t.countMore, { n: num(list.count) });
}

interface Found {
    first: FoundList; // read again whenever something happens
    rows: Inquiry[]; // on show
    next: string | null; // from where on there are more
    wide: boolean; // more than the first page is on show
}

/* What the last few searches of the history showed, for whoever comes back to them. */
const KEEP = 10;
const kept = new Map<string, Found>();
session.listen(() => session.get().state === "out" && kept.clear());

function keep(name: string, found: Found): void {
    kept.delete(name);
    kept.set(name, found);
    for (const oldest of [...kept.keys()].slice(0, -KEEP)) kept.delete(oldest);
}

const narrow = (first: FoundList): Found => ({ first, rows: first.rows, next: first.next ?? null, wide: false });

/* Once more than a page is on show its rows keep their places: what is newer waits to be asked for, so that
 * nothing is pushed out between two pages. What the first page shows to fit no longer goes. */
function renewed(old: Found, first: FoundList): Found {
    const now = new Map(first.rows.map((row) => [row.number, row]));
    const told = Number(first.next ?? 0); // of numbers from here on the first page tells all
    const rows = old.rows.map((row) => now.get(row.number) ?? (row.number < told ? row : null));
    return { ...old, first, rows: rows.filter((row) => row !== null) };
}

function joined(old: Found, page: FoundList): Found {
    const seen = new Set(old.rows.map((row) => row.number));
    return { ...old, rows: [...old.rows, ...page.rows.filter((row) => !seen.has(row.number))], next: page.next ?? null };
}

function useFound(query: string, entry: string) {
    const name = `${entry} ${query}`;
    const { value, fault, again } = useAsked<FoundList>(pathOf(query));
    const [found, setFound] = useState(kept.get(name) ?? null);
    const [busy, setBusy] = useState(false);
    const [moreFault, setMoreFault] = useState<unknown>(null);
    useEffect(() => {
        if (value) setFound((old) => (old?.wide ? renewed(old, value) : narrow(value)));
    }, [value]);
    useEffect(() => {
        if (found) keep(name, found);
    }, [name, found]);
    const more = async (): Promise<void> => {
        if (busy || !found?.next) return;
        setBusy(true);
        setFound({ ...found, wide: true });
        try {
            const page = await get<FoundList>(pathOf(query, found.next));
            setFound((old) => old && joined(old, page));
            setMoreFault(null);
        } catch (error) {
            setMoreFault(error);
        }
        setBusy(false);
    };
    const newer = (): void => setFound((old) => old && narrow(old.first));
    return { found, fault, again, busy, more, moreFault, newer };
}

/* There are newer ones than the first on show. */
function isBehind({ first, rows }: Found): boolean {
    const newest = first.rows[0];
    return newest !== undefined && newest.number > (rows[0]?.number ?? 0);
}

export function Results({ query, entry }: { query: string; entry: string }) {
    const t = text().search;
    const { found, fault, again, busy, more, moreFault, newer } = useFound(query, entry);
    useEffect(() => onEvents(again), [again]);
    if (isBadFilter(fault)) return <BadFilter of={fault} />;
    if (!found) return fault !== null ? <Fault of={fault} again={again} /> : <Loading />;
    const { first, rows } = found;
    const behind = first.behind ?? 0;
    return (
        <>
            {behind > 0 && <Banner tone="calm">{fill(t.behind, { n: num(behind) })}</Banner>}
            {fault !== null && <Fault of={fault} again={again} />}
            <Panel title={countText(first) || t.title} flush actions={rows.length > 0 && <Csv query={query} />}>
                {isBehind(found) && (
                    <p class="table-more">
                        <Button small onClick={newer}>{t.newer}</Button>
                    </p>
                )}
                {rows.length ? (
                    <InquiryTable caption={t.title} rows={rows} />
                ) : (
                    <Empty icon="search" title={t.none}>{t.noneDo}</Empty>
                )}
                {moreFault !== null && <Fault of={moreFault} />}
                {found.next && (
                    <p class="table-more">
                        <Button small disabled={busy} onClick={() => void more()}>{t.more}</Button>
                    </p>
                )}
            </Panel>
        </>
    );
}
