// What is known of customers, as it travels.

import type { Level } from "./types";

export interface CustomerAlert {
  customer_id: string;
  level: Level;
  state: "open" | "acknowledged" | "closed";
  team: string;
  opened_at: string;
  due_at: string | null;
  escalations: number;
  by: string;
  branch: string;
  reasons: string[];
  source: string;
}
