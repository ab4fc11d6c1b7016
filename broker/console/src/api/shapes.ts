// shapes.ts - what the gateway answers, as openapi.yaml of the gateway says it. Times are RFC 3339 in UTC.

export type Level = "observer" | "operator" | "administrator";
export type State = "waiting" | "delayed" | "leased" | "parked" | "answered" | "expired" | "cancelled";

export interface Whoami {
    account: string;
    role: string;
    level: Level | null; // null: the gateway has not met the broker yet
    scopes: string[];
    city: { name: string; title_fa?: string; title_en?: string } | null;
}

export interface List<Row> {
    rows: Row[];
    next?: string | null;
}

export interface QueueRow {
    department: string;
    district: number;
    waiting: number;
    delayed: number;
    leased: number;
    parked: number;
    oldest_at: string | null;
    agents: number;
    paused: boolean;
    unserved: number; // of those that wait or are delayed: how many no agent here may take
}

export interface AgentRow {
    session: number;
    account: string;
    department: string;
    software: string;
    address: string;
    window: number;
    leased: number;
    answered: number;
    since_at: string | null;
    heard_at: string | null;
}

export interface ParkedRow {
    number: number;
    type: string;
    department: string;
    district: number;
    at: string;
    code: string;
    attempts: number;
    reason: string;
}

export interface Inquiry {
    id: string;
    number: number;
    tracking?: string;
    type: string;
    version?: number;
    department: string;
    district?: number;
    requester?: string;
    purpose?: string;
    case_id?: string;
    parcel?: string;
    state: State;
    outcome?: string | null;
    code?: string | null;
    reason?: string | null;
    attempts?: number;
    received_at: string;
    due_at?: string | null;
    ended_at?: string | null;
    acknowledged_at?: string | null;
    holder?: string | null;
    until_at?: string | null;
    legal_ref?: string | null;
    valid_until?: string | null;
    signer?: string | null;
    request?: unknown;
    reply?: unknown;
}

export interface FoundList extends List<Inquiry> {
    count?: number;
    counted_all?: boolean | number;
    behind?: number;
}

export interface TimelineRow {
    seq: number | null;
    at: string;
    event: string;
    actor: string | null;
    code: string | null;
    text: string | null;
}

export interface FeedEvent extends TimelineRow {
    seq: number;
    number: number;
    type?: string;
    department?: string;
    district?: number;
    requester?: string;
    outcome?: string | null;
    case_id?: string | null;
    tracking?: string | null;
}

export interface KeyRow {
    account: string;
    role: string;
    level: string | null;
    department: string | null;
    key: string;
    from_at: string | null;
    until_at: string | null;
    sessions: number;
}

export interface NamedValue {
    name: string;
    value: string | number;
}

export interface CounterRow {
    name: string;
    department: string;
    label: string;
    value: number;
}

export interface Counters {
    seq: number;
    rows: CounterRow[];
}

export interface CatalogueType {
    name: string;
    title_fa: string;
    title_en: string;
    department: string;
    mode: string;
    purposes?: string[];
    reasons?: CatalogueReason[];
}

export interface CatalogueReason {
    code: string;
    title_fa: string;
    title_en: string;
}

export interface CatalogueDepartment {
    name: string;
    title_fa: string;
    title_en: string;
    outside: boolean;
}

export interface CataloguePurpose {
    name: string;
    title_fa: string;
    title_en: string;
}

export interface Sample {
    name: string;
    title_fa?: string;
    title_en?: string;
    type: string;
    department?: string;
}
