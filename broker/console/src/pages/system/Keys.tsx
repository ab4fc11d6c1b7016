// Keys.tsx - every account's keys, the one that ends soonest first.
import type { KeyRow } from "../../api/shapes";
import { span } from "../../format/span";
import { every } from "../../live/board";
import { useNow } from "../../live/clock";
import { departmentTitle } from "../../live/catalogue";
import { fill, text, word } from "../../text";
import { Badge } from "../../ui/Badge";
import { Name } from "../../ui/Code";
import { Empty } from "../../ui/Empty";
import { Fault } from "../../ui/Fault";
import { Figure } from "../../ui/Figure";
import { Loading } from "../../ui/Loading";
import { Panel } from "../../ui/Panel";
import { Table, type Column } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { useAsked } from "../../ui/useAsked";

const SOON_MS = 30 * 86_400_000;

function Until({ row }: { row: KeyRow }) {
    const t = text().system;
    const now = useNow(60_000);
    if (!row.until_at) return <span class="none">{t.noEnd}</span>;
    const left = Date.parse(row.until_at) - now;
    return (
        <>
            <Time at={row.until_at} form="date" />{" "}
            {left < 0 ? <Badge tone="bad">{t.expired}</Badge> : left < SOON_MS ? <Badge tone="warn">{fill(t.expiresIn, { age: span(left) })}</Badge> : null}
        </>
    );
}

function columns(): Column<KeyRow>[] {
    const t = text();
    const s = t.system;
    return [
        { key: "account", title: t.columns.account, cell: (k) => <Name>{k.account}</Name> },
        { key: "role", title: s.role, cell: (k) => <>{word(t.roles, k.role)}{k.level ? <small> · {word(t.levels, k.level)}</small> : null}</> },
        { key: "department", title: t.columns.department, cell: (k) => (k.department ? departmentTitle(k.department) : <span class="none">{t.units.none}</span>) },
        { key: "key", title: s.key, cell: (k) => <code class="code" dir="ltr">{k.key}…</code> },
        { key: "until", title: s.until, cell: (k) => <Until row={k} /> },
        { key: "sessions", title: s.sessions, number: true, cell: (k) => <Figure value={k.sessions} /> },
    ];
}

const endOf = (k: KeyRow): number => (k.until_at ? Date.parse(k.until_at) : Infinity);

export function Keys() {
    const t = text().system;
    // All of them: the one that ends soonest may stand on the last page.
    const { value: keys, fault, again } = useAsked<KeyRow[]>("/v1/keys", 30_000, every);
    const rows = [...(keys ?? [])].sort((a, b) => (endOf(a) === endOf(b) ? a.account.localeCompare(b.account) : endOf(a) - endOf(b)));
    return (
        <Panel title={t.keys} lead={t.keysLead} flush>
            {!keys && (fault !== null ? <Fault of={fault} again={again} /> : <Loading />)}
            {keys && !rows.length && <Empty title={t.keysEmpty} />}
            {rows.length > 0 && <Table caption={t.keys} columns={columns()} rows={rows} rowKey={(k) => k.account + k.key} />}
        </Panel>
    );
}
