// Results.tsx - what a filter found, newest first, page after page; the count, and the way out as CSV.
import { useEffect, useState } from "preact/hooks";
import { get } from "../../api/http";
import type { FoundList, Inquiry } from "../../api/shapes";
import { num } from "../../format/number";
import { onEvents } from "../../live/feed";
import { fill, text } from "../../text";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { Empty } from "../../ui/Empty";
import { Fault } from "../../ui/Fault";
import { InquiryTable } from "../../ui/InquiryTable";
import { Loading } from "../../ui/Loading";
import { Panel } from "../../ui/Panel";
import { useAsked } from "../../ui/useAsked";
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

/* Pages after the first, which alone is read again when something happens. */
function useMore(query: string, first: FoundList | null) {
    const [rows, setRows] = useState<Inquiry[]>([]);
    const [next, setNext] = useState<string | null | undefined>(undefined);
    const [fault, setFault] = useState<unknown>(null);
    const cursor = next === undefined ? first?.next : next;
    const more = async (): Promise<void> => {
        try {
            const list = await get<FoundList>(pathOf(query, cursor ?? ""));
            setRows((old) => [...old, ...list.rows]);
            setNext(list.next ?? null);
            setFault(null);
        } catch (error) {
            setFault(error);
        }
    };
    return { rows, fault, more: cursor ? more : null };
}

export function Results({ query }: { query: string }) {
    const t = text().search;
    const { value, fault, again } = useAsked<FoundList>(pathOf(query));
    const rest = useMore(query, value);
    useEffect(() => onEvents(again), [again]);
    if (!value) return fault !== null ? <Fault of={fault} again={again} /> : <Loading />;
    const seen = new Set(value.rows.map((r) => r.number));
    const rows = [...value.rows, ...rest.rows.filter((r) => !seen.has(r.number))];
    const behind = value.behind ?? 0;
    return (
        <>
            {behind > 0 && <Banner tone="calm">{fill(t.behind, { n: num(behind) })}</Banner>}
            {fault !== null && <Fault of={fault} again={again} />}
            <Panel title={countText(value) || t.title} flush actions={rows.length > 0 && <Csv query={query} />}>
                {rows.length ? (
                    <InquiryTable caption={t.title} rows={rows} />
                ) : (
                    <Empty icon="search" title={t.none}>{t.noneDo}</Empty>
                )}
                {rest.fault !== null && <Fault of={rest.fault} />}
                {rest.more && (
                    <p class="table-more">
                        <Button small onClick={() => void rest.more?.()}>{t.more}</Button>
                    </p>
                )}
            </Panel>
        </>
    );
}
