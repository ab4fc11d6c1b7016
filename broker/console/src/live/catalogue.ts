// catalogue.ts - titles of departments, types, their reasons, and purposes. Without them names do. Read after login, again when
// the gateway is back and every few minutes; what could not be read keeps what it was and is asked for soon.
import { ApiError, get } from "../api/http";
import type { CatalogueDepartment, CataloguePurpose, CatalogueType, List, NamedValue } from "../api/shapes";
import { may } from "../session";
import { store } from "../store";
import { isPersian } from "../text";
import { onReturn } from "./link";

export interface Catalogue {
    departments: Map<string, CatalogueDepartment>;
    types: Map<string, CatalogueType>;
    purposes: Map<string, CataloguePurpose>;
    districts: number; // the city's last district; 0: not known, or it has none
}

export const catalogue = store<Catalogue>({ departments: new Map(), types: new Map(), purposes: new Map(), districts: 0 });

const EVERY = 300_000;
const SOON = 10_000; // after something could not be read

const forGood = (why: unknown): boolean => why instanceof ApiError && [401, 403, 404].includes(why.problem.status);

function lastDistrict(rows: NamedValue[]): number {
    return Number(rows.find((row) => row.name === "districts_last")?.value) || 0;
}

/* Whether it is whole: what this account may not read is not missing. */
async function read(signal: AbortSignal): Promise<boolean> {
    const all = await Promise.allSettled([
        get<List<CatalogueDepartment>>("/v1/catalogue/departments", signal),
        get<List<CatalogueType>>("/v1/catalogue/types", signal),
        get<List<CataloguePurpose>>("/v1/catalogue/purposes", signal),
        may("config") ? get<List<NamedValue>>("/v1/config", signal) : { rows: [] },
    ]);
    if (signal.aborted) return true;
    const [departments, types, purposes, config] = all;
    const old = catalogue.get();
    const byName = <T extends { name: string }>(of: PromiseSettledResult<List<T>>, before: Map<string, T>): Map<string, T> =>
        of.status === "fulfilled" ? new Map(of.value.rows.map((row) => [row.name, row])) : before;
    catalogue.set({
        departments: byName(departments, old.departments),
        types: byName(types, old.types),
        purposes: byName(purposes, old.purposes),
        districts: config.status === "fulfilled" ? lastDistrict(config.value.rows) : old.districts,
    });
    return all.every((one) => one.status === "fulfilled" || forGood(one.reason));
}

/* From now on until the function that it returns is called. */
export function catalogueStart(): () => void {
    const stop = new AbortController();
    let timer = 0;
    let turn = 0;
    const again = async (): Promise<void> => {
        clearTimeout(timer);
        const mine = ++turn;
        const whole = await read(stop.signal);
        if (!stop.signal.aborted && mine === turn) timer = window.setTimeout(again, whole ? EVERY : SOON);
    };
    const off = onReturn(() => void again());
    void again();
    return () => (off(), stop.abort(), clearTimeout(timer));
}

function title(of: { title_fa: string; title_en: string } | undefined, name: string): string {
    return (isPersian() ? of?.title_fa : of?.title_en) || name;
}

export const departmentTitle = (name: string): string => title(catalogue.get().departments.get(name), name);
export const purposeTitle = (name: string): string => title(catalogue.get().purposes.get(name), name);
/* A reason that the type does not declare, such as an agent's own words, stays what it is. */
export const reasonTitle = (type: string, code: string): string =>
    title(catalogue.get().types.get(type)?.reasons?.find((reason) => reason.code === code), code);
export const typeTitle = (name: string): string => title(catalogue.get().types.get(name), name);
