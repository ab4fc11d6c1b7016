// catalogue.ts - titles of departments, types and purposes, read once after login. Without them names do.
import { get } from "../api/http";
import type { CatalogueDepartment, CataloguePurpose, CatalogueType, List, NamedValue } from "../api/shapes";
import { may } from "../session";
import { store } from "../store";
import { isPersian } from "../text";

export interface Catalogue {
    departments: Map<string, CatalogueDepartment>;
    types: Map<string, CatalogueType>;
    purposes: Map<string, CataloguePurpose>;
    districts: number; // the city's last district; 0: not known, or it has none
}

export const catalogue = store<Catalogue>({ departments: new Map(), types: new Map(), purposes: new Map(), districts: 0 });

function lastDistrict(config: PromiseSettledResult<Pick<List<NamedValue>, "rows">>): number {
    const rows = config.status === "fulfilled" ? config.value.rows : [];
    return Number(rows.find((row) => row.name === "districts_last")?.value) || 0;
}

export async function catalogueRead(): Promise<void> {
    const [departments, types, purposes, config] = await Promise.allSettled([
        get<List<CatalogueDepartment>>("/v1/catalogue/departments"),
        get<List<CatalogueType>>("/v1/catalogue/types"),
        get<List<CataloguePurpose>>("/v1/catalogue/purposes"),
        may("config") ? get<List<NamedValue>>("/v1/config") : { rows: [] },
    ]);
    const byName = <T extends { name: string }>(of: PromiseSettledResult<List<T>>): Map<string, T> =>
        new Map(of.status === "fulfilled" ? of.value.rows.map((row) => [row.name, row]) : []);
    catalogue.set({ departments: byName(departments), types: byName(types), purposes: byName(purposes), districts: lastDistrict(config) });
}

function title(of: { title_fa: string; title_en: string } | undefined, name: string): string {
    return (isPersian() ? of?.title_fa : of?.title_en) || name;
}

export const departmentTitle = (name: string): string => title(catalogue.get().departments.get(name), name);
export const purposeTitle = (name: string): string => title(catalogue.get().purposes.get(name), name);
export const typeTitle = (name: string): string => title(catalogue.get().types.get(name), name);
