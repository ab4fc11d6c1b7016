// departments.ts - queue rows summed by department: what the overview lists and what needs a person.
import type { AgentRow, QueueRow } from "../api/shapes";
import type { Catalogue } from "./catalogue";

export interface DepartmentSum {
    name: string;
    waiting: number;
    delayed: number;
    leased: number;
    parked: number;
    oldest: number; // ms; 0: nothing waits
    agents: number;
    unserved: number; // nobody here may take them: no agent at all, or none for their type
    paused: boolean;
    expected: boolean; // answers some type by itself, so an agent ought to be there
}

export function blank(name: string): DepartmentSum {
    return { name, waiting: 0, delayed: 0, leased: 0, parked: 0, oldest: 0, agents: 0, unserved: 0, paused: false, expected: false };
}

export function isUnserved(d: DepartmentSum): boolean {
    return d.unserved > 0;
}

/* Departments sorted by the age of their oldest, then those with work, then by name. */
export function sum(queues: QueueRow[], agents: AgentRow[], catalogue: Catalogue): DepartmentSum[] {
    const all = new Map<string, DepartmentSum>();
    const of = (name: string): DepartmentSum => {
        let d = all.get(name);
        if (!d) all.set(name, (d = blank(name)));
        return d;
    };
    for (const row of queues) {
        const d = of(row.department);
        d.waiting += row.waiting;
        d.delayed += row.delayed;
        d.leased += row.leased;
        d.parked += row.parked;
        d.unserved += row.unserved;
        d.paused ||= row.paused;
        d.agents = Math.max(d.agents, row.agents);
        const oldest = row.oldest_at ? Date.parse(row.oldest_at) : 0;
        if (oldest && (!d.oldest || oldest < d.oldest)) d.oldest = oldest;
    }
    const counted = new Map<string, number>();
    for (const agent of agents) counted.set(agent.department, (counted.get(agent.department) ?? 0) + 1);
    for (const [name, n] of counted) of(name).agents = n;
    for (const type of catalogue.types.values()) if (type.mode.startsWith("automatic")) of(type.department).expected = true;
    return [...all.values()].sort(
        (a, b) =>
            (a.oldest || Infinity) - (b.oldest || Infinity) ||
            b.waiting + b.leased + b.delayed - (a.waiting + a.leased + a.delayed) ||
            a.name.localeCompare(b.name),
    );
}
