// Departments.tsx - every queue of the city, the one whose oldest has waited longest first.
import { useState } from "preact/hooks";
import { foldName } from "../../format/fold";
import { num } from "../../format/number";
import { departmentTitle } from "../../live/catalogue";
import { isUnserved, type DepartmentSum } from "../../live/departments";
import { samples } from "../../live/samples";
import { href } from "../../route";
import { may } from "../../session";
import { useStore } from "../../store";
import { fill, text } from "../../text";
import { Age } from "../../ui/Age";
import { Button } from "../../ui/Button";
import { DepartmentState } from "../../ui/DepartmentState";
import { Empty } from "../../ui/Empty";
import { Figure } from "../../ui/Figure";
import { Panel } from "../../ui/Panel";
import { Sparkline } from "../../ui/Sparkline";
import { Table, type Column } from "../../ui/Table";

const SPARKS = 60;

/* The last hour of a department in at most SPARKS points: what waited or was under way. */
function useTrends(): (name: string) => number[] {
    const all = useStore(samples);
    const step = Math.max(1, Math.ceil(all.length / SPARKS));
    const some = all.filter((_, i) => (all.length - 1 - i) % step === 0);
    return (name) => some.map((s) => (s.of[name]?.[0] ?? 0) + (s.of[name]?.[2] ?? 0));
}

function columns(trend: (name: string) => number[]): Column<DepartmentSum>[] {
    const t = text().columns;
    return [
        {
            key: "department",
            title: t.department,
            cell: (d) => (
                <a class="row-link" href={href("department", d.name)}>
                    {departmentTitle(d.name)} <small dir="ltr">{d.name}</small>
                </a>
            ),
        },
        { key: "state", title: t.state, cell: (d) => <DepartmentState of={d} /> },
        { key: "oldest", title: t.oldest, cell: (d) => <Age at={d.oldest} plain /> },
        { key: "waiting", title: t.waiting, number: true, cell: (d) => <Figure value={d.waiting} strong /> },
        { key: "leased", title: t.leased, number: true, cell: (d) => <Figure value={d.leased} /> },
        { key: "delayed", title: t.delayed, number: true, cell: (d) => <Figure value={d.delayed} /> },
        { key: "parked", title: t.parked, number: true, cell: (d) => <Figure value={d.parked} warn /> },
        { key: "agents", title: t.agents, number: true, cell: (d) => <Figure value={d.agents} /> },
        { key: "trend", title: t.trend, hidden: "narrow", cell: (d) => <Sparkline values={trend(d.name)} /> },
    ];
}

const isBusy = (d: DepartmentSum): boolean => d.waiting + d.delayed + d.leased + d.parked > 0 || d.paused;

export function Departments({ all }: { all: DepartmentSum[] }) {
    const t = text().overview;
    const trend = useTrends();
    const [wanted, setWanted] = useState("");
    const [busyOnly, setBusyOnly] = useState(false);
    const key = foldName(wanted);
    const matching = all.filter((d) => [departmentTitle(d.name), d.name].some((name) => foldName(name).includes(key)));
    const rows = busyOnly ? matching.filter(isBusy) : matching;
    const tools = (
        <>
            <Button small kind="quiet" pressed={busyOnly} onClick={() => setBusyOnly(!busyOnly)}>{t.showBusy}</Button>
            <input
                type="search"
                class="small-input"
                aria-label={t.filter}
                placeholder={t.filter}
                data-search={may("search") ? undefined : ""}
                value={wanted}
                onInput={(e) => setWanted(e.currentTarget.value)}
            />
        </>
    );
    return (
        <Panel title={t.departments} lead={t.departmentsLead} actions={all.length > 0 && tools} flush>
            {!all.length && <Empty icon="queue" title={t.noDepartments}>{t.noDepartmentsDo}</Empty>}
            {all.length > 0 && !rows.length && <Empty icon="search" title={t.noMatch} />}
            {rows.length > 0 && (
                <Table
                    caption={t.departments}
                    columns={columns(trend)}
                    rows={rows}
                    rowKey={(d) => d.name}
                    rowClass={(d) => (isUnserved(d) ? "row-bad" : "")}
                />
            )}
            {rows.length > 0 && rows.length < all.length && (
                <p class="table-more">
                    <Button small kind="quiet" onClick={() => (setWanted(""), setBusyOnly(false))}>{fill(t.showAll, { n: num(all.length) })}</Button>
                </p>
            )}
        </Panel>
    );
}
