CREATE TABLE public.action_usage (
    day date NOT NULL,
    workspace_id uuid NOT NULL,
    user_id uuid NOT NULL,
    service_name text NOT NULL,
    action text NOT NULL,
    count integer DEFAULT 1 NOT NULL
);
CREATE TABLE public.activity_logs (
    id uuid NOT NULL,
    action text NOT NULL,
    actor_id uuid,
    target_type text NOT NULL,
    target_id uuid NOT NULL,
    workspace_id uuid,
    detail jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.authorization_codes (
    code_hash character(64) NOT NULL,
    user_id uuid NOT NULL,
    client_app_id uuid NOT NULL,
    provider text NOT NULL,
    code_challenge text,
    code_challenge_method text,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.client_apps (
    id uuid NOT NULL,
    name text NOT NULL,
    redirect_uris text[] NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.group_memberships (
    id uuid NOT NULL,
    group_id uuid NOT NULL,
    user_id uuid NOT NULL,
    added_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.group_roles (
    id uuid NOT NULL,
    group_id uuid NOT NULL,
    role_id uuid NOT NULL,
    assigned_by uuid,
    assigned_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.groups (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.organization_domains (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    domain text NOT NULL,
    include_subdomains boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.organizations (
    id uuid NOT NULL,
    slug character varying(63) NOT NULL,
    name character varying(255) NOT NULL,
    is_public boolean DEFAULT false NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.realms (
    id uuid NOT NULL,
    slug character varying(255) NOT NULL,
    name text NOT NULL,
    m2m_ttl_s integer DEFAULT 300 NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_realms_ck_realms_m2m_ttl_s CHECK (((m2m_ttl_s >= 30) AND (m2m_ttl_s <= 3600)))
);
CREATE TABLE public.refresh_families (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    client_app_id uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_ip text,
    last_user_agent text,
    revoked_at timestamp with time zone,
    revoke_reason text
);
CREATE TABLE public.refresh_tokens (
    jti uuid NOT NULL,
    family_id uuid NOT NULL,
    access_jti uuid NOT NULL,
    access_expires_at timestamp with time zone NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    consumed_at timestamp with time zone
);
CREATE TABLE public.resource_permissions (
    id uuid NOT NULL,
    service_name text NOT NULL,
    resource_type text NOT NULL,
    resource_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    owner_id uuid,
    visibility text DEFAULT 'workspace'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_resource_permissions_ck_resource_permissions_visibility CHECK ((visibility = ANY (ARRAY['private'::text, 'workspace'::text])))
);
CREATE TABLE public.resource_shares (
    id uuid NOT NULL,
    resource_permission_id uuid NOT NULL,
    grantee_type text NOT NULL,
    grantee_id uuid NOT NULL,
    permission text NOT NULL,
    granted_by uuid,
    granted_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_resource_shares_ck_resource_shares_grantee_type CHECK ((grantee_type = ANY (ARRAY['user'::text, 'group'::text]))),
    CONSTRAINT ck_resource_shares_ck_resource_shares_permission CHECK ((permission = ANY (ARRAY['view'::text, 'edit'::text])))
);
CREATE TABLE public.revoked_tokens (
    jti uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.role_actions (
    id uuid NOT NULL,
    role_id uuid NOT NULL,
    service_action_id uuid NOT NULL
);
CREATE TABLE public.roles (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.service_actions (
    id uuid NOT NULL,
    service_name text NOT NULL,
    action text NOT NULL,
    description text,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.service_apps (
    id uuid NOT NULL,
    name text NOT NULL,
    service_name character varying(255) NOT NULL,
    key_hash character(64) NOT NULL,
    key_prefix character varying(12) NOT NULL,
    previous_key_hash character(64),
    previous_key_expires_at timestamp with time zone,
    is_active boolean DEFAULT true NOT NULL,
    allowed_origins text[] NOT NULL,
    allowed_idp_audiences text[] NOT NULL,
    realm_id uuid,
    last_used_at timestamp with time zone,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.sign_in_memory (
    user_id uuid NOT NULL,
    kind text NOT NULL,
    value text NOT NULL,
    first_seen timestamp with time zone NOT NULL,
    last_seen timestamp with time zone NOT NULL,
    CONSTRAINT ck_sign_in_memory_ck_sign_in_memory_kind CHECK ((kind = ANY (ARRAY['country'::text, 'device'::text])))
);
CREATE TABLE public.social_accounts (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    provider text NOT NULL,
    provider_user_id text NOT NULL,
    provider_data jsonb
);
CREATE TABLE public.user_roles (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    role_id uuid NOT NULL,
    assigned_by uuid,
    assigned_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.users (
    id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    avatar_url text,
    is_active boolean DEFAULT true NOT NULL,
    is_admin boolean DEFAULT false NOT NULL,
    organization_id uuid,
    token_epoch integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.workspace_allowed_organizations (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    organization_id uuid NOT NULL
);
CREATE TABLE public.workspace_invitations (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    code_hash character(64) NOT NULL,
    email text,
    role text NOT NULL,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    accepted_by uuid,
    accepted_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT ck_workspace_invitations_ck_workspace_invitations_role CHECK ((role = ANY (ARRAY['admin'::text, 'editor'::text, 'viewer'::text])))
);
CREATE TABLE public.workspace_memberships (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    joined_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_workspace_memberships_ck_workspace_memberships_role CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'editor'::text, 'viewer'::text])))
);
CREATE TABLE public.workspaces (
    id uuid NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    description text,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
INSERT INTO public.action_usage VALUES ('2026-11-25', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '4efce120-a405-4eed-95cb-62597defc6b1', 'notes', 'export', 1);
INSERT INTO public.action_usage VALUES ('2026-11-25', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', 'f705177b-35e8-434f-9c10-54f70da64cdf', 'notes', 'publish', 1);
INSERT INTO public.activity_logs VALUES ('8987997d-3e16-4e9f-b7ef-8ac0a51f1d52', 'service_app_created', NULL, 'service_app', '4ffce34b-9d24-4782-b47c-9582e8a179d3', NULL, '{"app": "Notes", "service_name": "notes"}', '2026-11-25 23:49:37.974269+00');
INSERT INTO public.activity_logs VALUES ('6057bf32-7212-4619-b05d-0e19037e2ab2', 'service_app_created', NULL, 'service_app', '90d74cbe-6394-4692-bd18-75c9d7d87e85', NULL, '{"app": "Tasks", "service_name": "tasks"}', '2026-11-25 23:49:39.974269+00');
INSERT INTO public.activity_logs VALUES ('face4214-9bae-46f5-9cea-069948fa6aa1', 'client_app_created', NULL, 'client_app', 'cc551f13-2b32-4d07-89a0-53909613c820', NULL, '{"app": "Notes"}', '2026-11-25 23:49:40.974269+00');
INSERT INTO public.activity_logs VALUES ('4597cd0b-f40e-4015-8539-bd76ecb8aeea', 'user_login', '4efce120-a405-4eed-95cb-62597defc6b1', 'user', '4efce120-a405-4eed-95cb-62597defc6b1', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.activity_logs VALUES ('83492f18-96bc-45b0-a5f6-5f7db1e30255', 'user_login', '64804acb-29c7-4cc3-b2bc-da1c8ce94e52', 'user', '64804acb-29c7-4cc3-b2bc-da1c8ce94e52', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.activity_logs VALUES ('e412d50e-3351-434d-8258-8a41be640023', 'user_login', 'f705177b-35e8-434f-9c10-54f70da64cdf', 'user', 'f705177b-35e8-434f-9c10-54f70da64cdf', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.activity_logs VALUES ('f487c1c2-78a5-4b0d-9980-77398ba806f6', 'user_login', 'f16151d5-9558-4ccc-99de-d34bc3669f2f', 'user', 'f16151d5-9558-4ccc-99de-d34bc3669f2f', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.activity_logs VALUES ('831ebf3f-9356-4903-9ae5-e84995e4f088', 'user_logout', 'f16151d5-9558-4ccc-99de-d34bc3669f2f', 'user', 'f16151d5-9558-4ccc-99de-d34bc3669f2f', NULL, NULL, '2026-11-25 23:49:41.974269+00');
INSERT INTO public.activity_logs VALUES ('5d978f2c-6dc1-40ad-949f-dcd995950a5c', 'group_created', '4efce120-a405-4eed-95cb-62597defc6b1', 'group', 'f100547a-1308-4649-b753-3f87be2173c2', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '{"name": "Writers"}', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.activity_logs VALUES ('ef6426a9-5854-46a5-8ea9-2ff5fdf867c8', 'group_member_added', '4efce120-a405-4eed-95cb-62597defc6b1', 'user', 'f705177b-35e8-434f-9c10-54f70da64cdf', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '{"group_id": "f100547a-1308-4649-b753-3f87be2173c2"}', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.activity_logs VALUES ('06c0ae84-f3f3-565e-923e-8c527be71d04', 'action_denied', '4efce120-a405-4eed-95cb-62597defc6b1', 'user', '4efce120-a405-4eed-95cb-62597defc6b1', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '{"count": 1, "action": "erase", "service_name": "notes"}', '2026-11-25 23:49:00+00');
INSERT INTO public.activity_logs VALUES ('17e9be57-e81b-5cb2-a2f8-0630f47a70be', 'action_denied', '64804acb-29c7-4cc3-b2bc-da1c8ce94e52', 'user', '64804acb-29c7-4cc3-b2bc-da1c8ce94e52', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '{"count": 1, "action": "publish", "service_name": "notes"}', '2026-11-25 23:49:00+00');
INSERT INTO public.activity_logs VALUES ('3878aabd-636a-5f75-b9d6-5973d4ae6b17', 'action_denied', 'f705177b-35e8-434f-9c10-54f70da64cdf', 'user', 'f705177b-35e8-434f-9c10-54f70da64cdf', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '{"count": 1, "action": "erase", "service_name": "notes"}', '2026-11-25 23:49:00+00');
INSERT INTO public.activity_logs VALUES ('5cd55ce2-f003-5242-a03c-2c606fa27579', 'action_denied', 'f705177b-35e8-434f-9c10-54f70da64cdf', 'user', 'f705177b-35e8-434f-9c10-54f70da64cdf', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '{"count": 1, "action": "export", "service_name": "notes"}', '2026-11-25 23:49:00+00');
INSERT INTO public.activity_logs VALUES ('bb2913b6-06b7-590a-b561-3e07d7807e5e', 'action_denied', '64804acb-29c7-4cc3-b2bc-da1c8ce94e52', 'user', '64804acb-29c7-4cc3-b2bc-da1c8ce94e52', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '{"count": 1, "action": "export", "service_name": "notes"}', '2026-11-25 23:49:00+00');
INSERT INTO public.activity_logs VALUES ('ceecc44f-7816-5b02-a03d-bee509901d3e', 'action_denied', '64804acb-29c7-4cc3-b2bc-da1c8ce94e52', 'user', '64804acb-29c7-4cc3-b2bc-da1c8ce94e52', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '{"count": 1, "action": "erase", "service_name": "notes"}', '2026-11-25 23:49:00+00');
INSERT INTO public.activity_logs VALUES ('d057047e-5bcf-53f4-9d77-ff99767400c3', 'action_denied', '4efce120-a405-4eed-95cb-62597defc6b1', 'user', '4efce120-a405-4eed-95cb-62597defc6b1', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '{"count": 1, "action": "publish", "service_name": "notes"}', '2026-11-25 23:49:00+00');
INSERT INTO public.alembic_version VALUES ('0001');
INSERT INTO public.client_apps VALUES ('cc551f13-2b32-4d07-89a0-53909613c820', 'Notes', '{https://notes.example.com/callback}', true, NULL, '2026-11-25 23:49:40.974269+00', '2026-11-25 23:49:40.974269+00');
INSERT INTO public.group_memberships VALUES ('3642d666-61f7-4d4b-b964-b7405c55ee70', 'f100547a-1308-4649-b753-3f87be2173c2', 'f705177b-35e8-434f-9c10-54f70da64cdf', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.group_roles VALUES ('ecc76db1-1d20-41f0-a19a-b30dca59d4da', 'f100547a-1308-4649-b753-3f87be2173c2', 'cce64f5d-3317-4698-9abc-549d2ebe2dcf', '4efce120-a405-4eed-95cb-62597defc6b1', '2026-11-25 23:49:42.974269+00');
INSERT INTO public.groups VALUES ('f100547a-1308-4649-b753-3f87be2173c2', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', 'Writers', NULL, '4efce120-a405-4eed-95cb-62597defc6b1', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.organization_domains VALUES ('1f4aa477-5af6-46ec-b5f1-79ee390b2bdb', '6b86ba75-5e58-4b3c-9a8d-9eaf8e53e0ed', 'example.com', false, '2026-11-25 23:49:28.974269+00');
INSERT INTO public.organizations VALUES ('00000000-0000-0000-0000-000000000001', 'public', 'Public', true, true, NULL, '2026-11-25 23:49:19.932178+00');
INSERT INTO public.organizations VALUES ('6b86ba75-5e58-4b3c-9a8d-9eaf8e53e0ed', 'example', 'Org', false, true, NULL, '2026-11-25 23:49:27.974269+00');
INSERT INTO public.realms VALUES ('2de8edd0-e623-4a88-91a3-6b7bba6cc7d9', 'suite', 'Suite', 300, true, NULL, '2026-11-25 23:49:38.974269+00', '2026-11-25 23:49:38.974269+00');
INSERT INTO public.refresh_families VALUES ('63b13766-2e7f-4631-9aad-79bb6b8871b6', '4efce120-a405-4eed-95cb-62597defc6b1', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', 'cc551f13-2b32-4d07-89a0-53909613c820', '2026-11-25 23:49:41.974269+00', '127.0.0.1', 'stage/1.0', NULL, NULL);
INSERT INTO public.refresh_families VALUES ('30af50bd-bd7b-44c9-8a8b-da3b6b5b811b', '64804acb-29c7-4cc3-b2bc-da1c8ce94e52', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', 'cc551f13-2b32-4d07-89a0-53909613c820', '2026-11-25 23:49:41.974269+00', '127.0.0.1', 'stage/1.0', NULL, NULL);
INSERT INTO public.refresh_families VALUES ('4943b232-9027-4478-9190-d22168dc50e6', 'f705177b-35e8-434f-9c10-54f70da64cdf', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', 'cc551f13-2b32-4d07-89a0-53909613c820', '2026-11-25 23:49:41.974269+00', '127.0.0.1', 'stage/1.0', NULL, NULL);
INSERT INTO public.refresh_families VALUES ('cbc3ca55-9fbd-4fd3-b269-14a9fa15d74d', 'f16151d5-9558-4ccc-99de-d34bc3669f2f', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', 'cc551f13-2b32-4d07-89a0-53909613c820', '2026-11-25 23:49:41.974269+00', '127.0.0.1', 'stage/1.0', '2026-11-25 23:49:41.974269+00', 'logout');
INSERT INTO public.refresh_tokens VALUES ('0df51659-55da-4b4a-b0ba-fc3331541dcf', '63b13766-2e7f-4631-9aad-79bb6b8871b6', '157d382e-30ab-4725-b50d-c25ed1f53b3b', '2026-11-26 00:04:41+00', '2026-11-25 23:49:41.974269+00', '2026-12-02 23:49:41+00', NULL);
INSERT INTO public.refresh_tokens VALUES ('663561b2-28fe-49b1-99c9-bd86c4c6f1d0', '30af50bd-bd7b-44c9-8a8b-da3b6b5b811b', 'd535d412-b093-4476-818d-c59053754076', '2026-11-26 00:04:41+00', '2026-11-25 23:49:41.974269+00', '2026-12-02 23:49:41+00', NULL);
INSERT INTO public.refresh_tokens VALUES ('bded3ed9-4ba1-4c9c-aac8-74983773817b', '4943b232-9027-4478-9190-d22168dc50e6', 'c87853da-a83e-4a35-a96f-0815f01b309f', '2026-11-26 00:04:41+00', '2026-11-25 23:49:41.974269+00', '2026-12-02 23:49:41+00', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.refresh_tokens VALUES ('723d95b4-d5c2-4c27-a0bb-68caccb2bfc0', '4943b232-9027-4478-9190-d22168dc50e6', '951b171a-7257-46ea-9b8f-ade28de5d18a', '2026-11-26 00:04:41+00', '2026-11-25 23:49:41.974269+00', '2026-12-02 23:49:41+00', NULL);
INSERT INTO public.resource_permissions VALUES ('78761a35-4bad-485d-a728-0cb5fdaf8da8', 'notes', 'document', '42f42ff9-df50-5b75-8c16-cbe77cbfbbf1', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '4efce120-a405-4eed-95cb-62597defc6b1', 'workspace', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.resource_permissions VALUES ('a6d92105-8073-4c4e-8be1-8469cfc99bee', 'notes', 'document', '239080f3-4882-58a7-bc79-38505d4d50a3', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '4efce120-a405-4eed-95cb-62597defc6b1', 'private', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.resource_permissions VALUES ('18d29aac-4b0d-4fd3-a267-33d884ea4c6a', 'notes', 'document', 'c5f0f745-0628-5e74-8b55-d4f1723e07e4', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '4efce120-a405-4eed-95cb-62597defc6b1', 'private', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.resource_permissions VALUES ('23975fdb-035c-4282-9b91-b64c218e03d6', 'notes', 'document', '6fbdb790-3ad4-5463-96f3-86f6a3bd7c84', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '4efce120-a405-4eed-95cb-62597defc6b1', 'private', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.resource_permissions VALUES ('91562e09-69e5-4215-aa15-c5031cbd2a09', 'notes', 'document', '633f109e-0bd2-52a6-aed0-eed426da5aa4', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '4efce120-a405-4eed-95cb-62597defc6b1', 'private', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.resource_permissions VALUES ('fc586f81-7d90-4f9e-84ca-00eb0b349ea9', 'notes', 'document', 'a50cfad5-26e0-5c55-8fcc-80fafeca6715', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '4efce120-a405-4eed-95cb-62597defc6b1', 'private', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.resource_shares VALUES ('213208cf-33db-4b6a-b197-48acfe3ae588', '18d29aac-4b0d-4fd3-a267-33d884ea4c6a', 'user', '64804acb-29c7-4cc3-b2bc-da1c8ce94e52', 'view', '4efce120-a405-4eed-95cb-62597defc6b1', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.resource_shares VALUES ('dcdac4e1-7096-4f1f-9fda-d0f5a80b803d', '23975fdb-035c-4282-9b91-b64c218e03d6', 'group', 'f100547a-1308-4649-b753-3f87be2173c2', 'edit', '4efce120-a405-4eed-95cb-62597defc6b1', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.resource_shares VALUES ('d56de2dc-51d0-44e0-a42a-23a045356429', '91562e09-69e5-4215-aa15-c5031cbd2a09', 'user', '64804acb-29c7-4cc3-b2bc-da1c8ce94e52', 'view', '4efce120-a405-4eed-95cb-62597defc6b1', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.resource_shares VALUES ('41e7f67c-f2ea-40e9-bd39-b91ce8de5c87', '91562e09-69e5-4215-aa15-c5031cbd2a09', 'group', 'f100547a-1308-4649-b753-3f87be2173c2', 'edit', '4efce120-a405-4eed-95cb-62597defc6b1', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.revoked_tokens VALUES ('01763789-8952-4347-b567-f9b91050992c', '2026-11-26 00:04:41+00');
INSERT INTO public.revoked_tokens VALUES ('255ce78e-bca1-52fa-a54f-a2accb87f2a1', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.role_actions VALUES ('06f4f6aa-0812-4769-b8fe-a66c6da74900', 'cce64f5d-3317-4698-9abc-549d2ebe2dcf', '36444fdb-41d8-4f74-960e-5df256f3fe08');
INSERT INTO public.role_actions VALUES ('55aa2c60-b5cd-429a-b378-094f1f59c11a', '98eecc1a-7efb-47e3-b9bc-7649becbb7f0', '5d06fdd2-89a8-4f47-b0e6-3079bd7bbed6');
INSERT INTO public.roles VALUES ('cce64f5d-3317-4698-9abc-549d2ebe2dcf', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', 'Press', '…', '4efce120-a405-4eed-95cb-62597defc6b1', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.roles VALUES ('98eecc1a-7efb-47e3-b9bc-7649becbb7f0', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', 'Office', '…', '4efce120-a405-4eed-95cb-62597defc6b1', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.service_actions VALUES ('5b426e76-f957-47f4-bdd3-e9e2c6428e63', 'notes', 'erase', 'To erase', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.service_actions VALUES ('5d06fdd2-89a8-4f47-b0e6-3079bd7bbed6', 'notes', 'export', 'To export', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.service_actions VALUES ('36444fdb-41d8-4f74-960e-5df256f3fe08', 'notes', 'publish', 'To publish', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.service_apps VALUES ('90d74cbe-6394-4692-bd18-75c9d7d87e85', 'Tasks', 'tasks', 'd8dd750267cca517676bde1d12c0d692a72c9c8e5487f1581e564cb7f25d1f37', 'sk_8YOh****', NULL, NULL, true, '{}', '{}', '2de8edd0-e623-4a88-91a3-6b7bba6cc7d9', NULL, NULL, '2026-11-25 23:49:39.974269+00', '2026-11-25 23:49:39.974269+00');
INSERT INTO public.service_apps VALUES ('4ffce34b-9d24-4782-b47c-9582e8a179d3', 'Notes', 'notes', 'ac9c4ce27ce248ac9e427d29f222bcd0b04a277fa50b1f0b48c06e0f3b4f9a3d', 'sk_4ALu****', NULL, NULL, true, '{}', '{}', NULL, '2026-11-25 23:49:43.974269+00', NULL, '2026-11-25 23:49:37.974269+00', '2026-11-25 23:49:37.974269+00');
INSERT INTO public.sign_in_memory VALUES ('4efce120-a405-4eed-95cb-62597defc6b1', 'country', 'AT', '2026-11-25 23:49:41.974269+00', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.social_accounts VALUES ('0ed33ea2-29dc-4374-b2a7-89355487cff8', '4efce120-a405-4eed-95cb-62597defc6b1', 'corp', 'sub-ada', '{}');
INSERT INTO public.social_accounts VALUES ('5537d4b9-67fd-449a-bb80-6e6bb8ddca33', '64804acb-29c7-4cc3-b2bc-da1c8ce94e52', 'corp', 'sub-grace', '{}');
INSERT INTO public.social_accounts VALUES ('908455c4-fe45-4f98-bbee-1ecca35e8631', 'f705177b-35e8-434f-9c10-54f70da64cdf', 'corp', 'sub-linus', '{}');
INSERT INTO public.social_accounts VALUES ('6c66be50-c605-4e1a-8a9a-de881698c013', 'f16151d5-9558-4ccc-99de-d34bc3669f2f', 'corp', 'sub-gone', '{}');
INSERT INTO public.user_roles VALUES ('71386ea3-6052-42c5-9ea5-c68c2e0947bf', '4efce120-a405-4eed-95cb-62597defc6b1', '98eecc1a-7efb-47e3-b9bc-7649becbb7f0', '4efce120-a405-4eed-95cb-62597defc6b1', '2026-11-25 23:49:42.974269+00');
INSERT INTO public.users VALUES ('4efce120-a405-4eed-95cb-62597defc6b1', 'ada@example.com', 'Ada Élan', NULL, true, false, '6b86ba75-5e58-4b3c-9a8d-9eaf8e53e0ed', 0, '2026-11-25 23:49:19.974269+00', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.users VALUES ('64804acb-29c7-4cc3-b2bc-da1c8ce94e52', 'grace@example.com', 'Grace Élan', NULL, true, false, '6b86ba75-5e58-4b3c-9a8d-9eaf8e53e0ed', 0, '2026-11-25 23:49:21.974269+00', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.users VALUES ('f705177b-35e8-434f-9c10-54f70da64cdf', 'linus@example.com', 'Linus Élan', NULL, true, false, '6b86ba75-5e58-4b3c-9a8d-9eaf8e53e0ed', 0, '2026-11-25 23:49:23.974269+00', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.users VALUES ('f16151d5-9558-4ccc-99de-d34bc3669f2f', 'gone@example.com', 'Gone Élan', NULL, true, false, '6b86ba75-5e58-4b3c-9a8d-9eaf8e53e0ed', 1, '2026-11-25 23:49:25.974269+00', '2026-11-25 23:49:41.974269+00');
INSERT INTO public.workspace_allowed_organizations VALUES ('0c8f4f1c-5eac-454f-b59e-9bdddbbc33c1', '1bc268a5-def7-4a84-92b2-554d122a71cb', '6b86ba75-5e58-4b3c-9a8d-9eaf8e53e0ed');
INSERT INTO public.workspace_memberships VALUES ('4eaf356c-650f-49de-90b6-6d00c2b3cf0b', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '4efce120-a405-4eed-95cb-62597defc6b1', 'owner', '2026-11-25 23:49:30.974269+00');
INSERT INTO public.workspace_memberships VALUES ('f55de2ae-d778-42fc-b238-01535228e480', '1bc268a5-def7-4a84-92b2-554d122a71cb', '64804acb-29c7-4cc3-b2bc-da1c8ce94e52', 'owner', '2026-11-25 23:49:32.974269+00');
INSERT INTO public.workspace_memberships VALUES ('16ad5f9f-3e30-4230-a7b2-817dbb870f15', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', '64804acb-29c7-4cc3-b2bc-da1c8ce94e52', 'admin', '2026-11-25 23:49:33.974269+00');
INSERT INTO public.workspace_memberships VALUES ('83b12e75-2c3b-43f3-b88b-810c53c95c74', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', 'f705177b-35e8-434f-9c10-54f70da64cdf', 'viewer', '2026-11-25 23:49:34.974269+00');
INSERT INTO public.workspace_memberships VALUES ('5aa1050b-953a-4bd3-af0c-991f19e015cc', '9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', 'f16151d5-9558-4ccc-99de-d34bc3669f2f', 'editor', '2026-11-25 23:49:35.974269+00');
INSERT INTO public.workspaces VALUES ('9d3bcbb9-2bb7-4f18-bd9f-fe5a0707dfed', 'acme', 'Acme · Österreich', NULL, '4efce120-a405-4eed-95cb-62597defc6b1', '2026-11-25 23:49:29.974269+00');
INSERT INTO public.workspaces VALUES ('1bc268a5-def7-4a84-92b2-554d122a71cb', 'elsewhere', 'Acme', NULL, '64804acb-29c7-4cc3-b2bc-da1c8ce94e52', '2026-11-25 23:49:31.974269+00');
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.action_usage
    ADD CONSTRAINT pk_action_usage PRIMARY KEY (day, workspace_id, user_id, service_name, action);
ALTER TABLE ONLY public.activity_logs
    ADD CONSTRAINT pk_activity_logs PRIMARY KEY (id);
ALTER TABLE ONLY public.authorization_codes
    ADD CONSTRAINT pk_authorization_codes PRIMARY KEY (code_hash);
ALTER TABLE ONLY public.client_apps
    ADD CONSTRAINT pk_client_apps PRIMARY KEY (id);
ALTER TABLE ONLY public.group_memberships
    ADD CONSTRAINT pk_group_memberships PRIMARY KEY (id);
ALTER TABLE ONLY public.group_roles
    ADD CONSTRAINT pk_group_roles PRIMARY KEY (id);
ALTER TABLE ONLY public.groups
    ADD CONSTRAINT pk_groups PRIMARY KEY (id);
ALTER TABLE ONLY public.organization_domains
    ADD CONSTRAINT pk_organization_domains PRIMARY KEY (id);
ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT pk_organizations PRIMARY KEY (id);
ALTER TABLE ONLY public.realms
    ADD CONSTRAINT pk_realms PRIMARY KEY (id);
ALTER TABLE ONLY public.refresh_families
    ADD CONSTRAINT pk_refresh_families PRIMARY KEY (id);
ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT pk_refresh_tokens PRIMARY KEY (jti);
ALTER TABLE ONLY public.resource_permissions
    ADD CONSTRAINT pk_resource_permissions PRIMARY KEY (id);
ALTER TABLE ONLY public.resource_shares
    ADD CONSTRAINT pk_resource_shares PRIMARY KEY (id);
ALTER TABLE ONLY public.revoked_tokens
    ADD CONSTRAINT pk_revoked_tokens PRIMARY KEY (jti);
ALTER TABLE ONLY public.role_actions
    ADD CONSTRAINT pk_role_actions PRIMARY KEY (id);
ALTER TABLE ONLY public.roles
    ADD CONSTRAINT pk_roles PRIMARY KEY (id);
ALTER TABLE ONLY public.service_actions
    ADD CONSTRAINT pk_service_actions PRIMARY KEY (id);
ALTER TABLE ONLY public.service_apps
    ADD CONSTRAINT pk_service_apps PRIMARY KEY (id);
ALTER TABLE ONLY public.sign_in_memory
    ADD CONSTRAINT pk_sign_in_memory PRIMARY KEY (user_id, kind, value);
ALTER TABLE ONLY public.social_accounts
    ADD CONSTRAINT pk_social_accounts PRIMARY KEY (id);
ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT pk_user_roles PRIMARY KEY (id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT pk_users PRIMARY KEY (id);
ALTER TABLE ONLY public.workspace_allowed_organizations
    ADD CONSTRAINT pk_workspace_allowed_organizations PRIMARY KEY (id);
ALTER TABLE ONLY public.workspace_invitations
    ADD CONSTRAINT pk_workspace_invitations PRIMARY KEY (id);
ALTER TABLE ONLY public.workspace_memberships
    ADD CONSTRAINT pk_workspace_memberships PRIMARY KEY (id);
ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT pk_workspaces PRIMARY KEY (id);
ALTER TABLE ONLY public.group_memberships
    ADD CONSTRAINT uq_group_memberships_group_id_user_id UNIQUE (group_id, user_id);
ALTER TABLE ONLY public.group_roles
    ADD CONSTRAINT uq_group_roles_group_id_role_id UNIQUE (group_id, role_id);
ALTER TABLE ONLY public.groups
    ADD CONSTRAINT uq_groups_workspace_id_name UNIQUE (workspace_id, name);
ALTER TABLE ONLY public.organization_domains
    ADD CONSTRAINT uq_organization_domains_domain UNIQUE (domain);
ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT uq_organizations_slug UNIQUE (slug);
ALTER TABLE ONLY public.realms
    ADD CONSTRAINT uq_realms_slug UNIQUE (slug);
ALTER TABLE ONLY public.resource_permissions
    ADD CONSTRAINT uq_resource_permissions_service_name_resource_type_resource_id UNIQUE (service_name, resource_type, resource_id);
ALTER TABLE ONLY public.resource_shares
    ADD CONSTRAINT uq_resource_shares_grantee UNIQUE (resource_permission_id, grantee_type, grantee_id);
ALTER TABLE ONLY public.role_actions
    ADD CONSTRAINT uq_role_actions_role_id_service_action_id UNIQUE (role_id, service_action_id);
ALTER TABLE ONLY public.roles
    ADD CONSTRAINT uq_roles_workspace_id_name UNIQUE (workspace_id, name);
ALTER TABLE ONLY public.service_actions
    ADD CONSTRAINT uq_service_actions_service_name_action UNIQUE (service_name, action);
ALTER TABLE ONLY public.service_apps
    ADD CONSTRAINT uq_service_apps_key_hash UNIQUE (key_hash);
ALTER TABLE ONLY public.service_apps
    ADD CONSTRAINT uq_service_apps_previous_key_hash UNIQUE (previous_key_hash);
ALTER TABLE ONLY public.service_apps
    ADD CONSTRAINT uq_service_apps_service_name UNIQUE (service_name);
ALTER TABLE ONLY public.social_accounts
    ADD CONSTRAINT uq_social_accounts_provider_provider_user_id UNIQUE (provider, provider_user_id);
ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT uq_user_roles_user_id_role_id UNIQUE (user_id, role_id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT uq_users_email UNIQUE (email);
ALTER TABLE ONLY public.workspace_allowed_organizations
    ADD CONSTRAINT uq_workspace_allowed_organizations_workspace_id_organization_id UNIQUE (workspace_id, organization_id);
ALTER TABLE ONLY public.workspace_invitations
    ADD CONSTRAINT uq_workspace_invitations_code_hash UNIQUE (code_hash);
ALTER TABLE ONLY public.workspace_memberships
    ADD CONSTRAINT uq_workspace_memberships_workspace_id_user_id UNIQUE (workspace_id, user_id);
ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT uq_workspaces_slug UNIQUE (slug);
CREATE INDEX ix_action_usage_user_id ON public.action_usage USING btree (user_id);
CREATE INDEX ix_action_usage_workspace_id ON public.action_usage USING btree (workspace_id);
CREATE INDEX ix_activity_logs_actor_id ON public.activity_logs USING btree (actor_id);
CREATE INDEX ix_activity_logs_created_at ON public.activity_logs USING btree (created_at);
CREATE INDEX ix_activity_logs_target_type_target_id ON public.activity_logs USING btree (target_type, target_id);
CREATE INDEX ix_activity_logs_workspace_id ON public.activity_logs USING btree (workspace_id);
CREATE INDEX ix_authorization_codes_client_app_id ON public.authorization_codes USING btree (client_app_id);
CREATE INDEX ix_authorization_codes_expires_at ON public.authorization_codes USING btree (expires_at);
CREATE INDEX ix_authorization_codes_user_id ON public.authorization_codes USING btree (user_id);
CREATE INDEX ix_group_memberships_user_id ON public.group_memberships USING btree (user_id);
CREATE INDEX ix_group_roles_group_id ON public.group_roles USING btree (group_id);
CREATE INDEX ix_group_roles_role_id ON public.group_roles USING btree (role_id);
CREATE INDEX ix_organization_domains_organization_id ON public.organization_domains USING btree (organization_id);
CREATE INDEX ix_refresh_families_client_app_id ON public.refresh_families USING btree (client_app_id);
CREATE INDEX ix_refresh_families_user_id ON public.refresh_families USING btree (user_id);
CREATE INDEX ix_refresh_families_workspace_id ON public.refresh_families USING btree (workspace_id);
CREATE INDEX ix_refresh_tokens_expires_at ON public.refresh_tokens USING btree (expires_at);
CREATE INDEX ix_refresh_tokens_family_id ON public.refresh_tokens USING btree (family_id);
CREATE INDEX ix_resource_permissions_owner_id ON public.resource_permissions USING btree (owner_id);
CREATE INDEX ix_resource_permissions_reach ON public.resource_permissions USING btree (workspace_id, service_name, resource_type, created_at, id);
CREATE INDEX ix_resource_shares_grantee_type_grantee_id ON public.resource_shares USING btree (grantee_type, grantee_id);
CREATE INDEX ix_revoked_tokens_expires_at ON public.revoked_tokens USING btree (expires_at);
CREATE INDEX ix_role_actions_role_id ON public.role_actions USING btree (role_id);
CREATE INDEX ix_role_actions_service_action_id ON public.role_actions USING btree (service_action_id);
CREATE INDEX ix_roles_workspace_id ON public.roles USING btree (workspace_id);
CREATE INDEX ix_service_actions_service_name ON public.service_actions USING btree (service_name);
CREATE INDEX ix_service_apps_is_active ON public.service_apps USING btree (is_active);
CREATE INDEX ix_service_apps_realm_id ON public.service_apps USING btree (realm_id);
CREATE INDEX ix_social_accounts_user_id ON public.social_accounts USING btree (user_id);
CREATE INDEX ix_user_roles_role_id ON public.user_roles USING btree (role_id);
CREATE INDEX ix_user_roles_user_id ON public.user_roles USING btree (user_id);
CREATE INDEX ix_users_organization_id ON public.users USING btree (organization_id);
CREATE INDEX ix_workspace_allowed_organizations_organization_id ON public.workspace_allowed_organizations USING btree (organization_id);
CREATE INDEX ix_workspace_allowed_organizations_workspace_id ON public.workspace_allowed_organizations USING btree (workspace_id);
CREATE INDEX ix_workspace_invitations_workspace_id ON public.workspace_invitations USING btree (workspace_id);
CREATE INDEX ix_workspace_memberships_user_id ON public.workspace_memberships USING btree (user_id);
CREATE UNIQUE INDEX uq_organizations_public ON public.organizations USING btree (is_public) WHERE is_public;
CREATE UNIQUE INDEX uq_users_lower_email ON public.users USING btree (lower(email));
ALTER TABLE ONLY public.action_usage
    ADD CONSTRAINT fk_action_usage_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.action_usage
    ADD CONSTRAINT fk_action_usage_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.activity_logs
    ADD CONSTRAINT fk_activity_logs_actor_id_users FOREIGN KEY (actor_id) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.activity_logs
    ADD CONSTRAINT fk_activity_logs_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.authorization_codes
    ADD CONSTRAINT fk_authorization_codes_client_app_id_client_apps FOREIGN KEY (client_app_id) REFERENCES public.client_apps(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.authorization_codes
    ADD CONSTRAINT fk_authorization_codes_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.client_apps
    ADD CONSTRAINT fk_client_apps_created_by_users FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.group_memberships
    ADD CONSTRAINT fk_group_memberships_group_id_groups FOREIGN KEY (group_id) REFERENCES public.groups(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.group_memberships
    ADD CONSTRAINT fk_group_memberships_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.group_roles
    ADD CONSTRAINT fk_group_roles_assigned_by_users FOREIGN KEY (assigned_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.group_roles
    ADD CONSTRAINT fk_group_roles_group_id_groups FOREIGN KEY (group_id) REFERENCES public.groups(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.group_roles
    ADD CONSTRAINT fk_group_roles_role_id_roles FOREIGN KEY (role_id) REFERENCES public.roles(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.groups
    ADD CONSTRAINT fk_groups_created_by_users FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.groups
    ADD CONSTRAINT fk_groups_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.organization_domains
    ADD CONSTRAINT fk_organization_domains_organization_id_organizations FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT fk_organizations_created_by_users FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.realms
    ADD CONSTRAINT fk_realms_created_by_users FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.refresh_families
    ADD CONSTRAINT fk_refresh_families_client_app_id_client_apps FOREIGN KEY (client_app_id) REFERENCES public.client_apps(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.refresh_families
    ADD CONSTRAINT fk_refresh_families_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.refresh_families
    ADD CONSTRAINT fk_refresh_families_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT fk_refresh_tokens_family_id_refresh_families FOREIGN KEY (family_id) REFERENCES public.refresh_families(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.resource_permissions
    ADD CONSTRAINT fk_resource_permissions_owner_id_users FOREIGN KEY (owner_id) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.resource_permissions
    ADD CONSTRAINT fk_resource_permissions_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.resource_shares
    ADD CONSTRAINT fk_resource_shares_granted_by_users FOREIGN KEY (granted_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.resource_shares
    ADD CONSTRAINT fk_resource_shares_resource_permission_id_resource_permissions FOREIGN KEY (resource_permission_id) REFERENCES public.resource_permissions(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.role_actions
    ADD CONSTRAINT fk_role_actions_role_id_roles FOREIGN KEY (role_id) REFERENCES public.roles(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.role_actions
    ADD CONSTRAINT fk_role_actions_service_action_id_service_actions FOREIGN KEY (service_action_id) REFERENCES public.service_actions(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.roles
    ADD CONSTRAINT fk_roles_created_by_users FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.roles
    ADD CONSTRAINT fk_roles_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.service_apps
    ADD CONSTRAINT fk_service_apps_created_by_users FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.service_apps
    ADD CONSTRAINT fk_service_apps_realm_id_realms FOREIGN KEY (realm_id) REFERENCES public.realms(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.sign_in_memory
    ADD CONSTRAINT fk_sign_in_memory_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.social_accounts
    ADD CONSTRAINT fk_social_accounts_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT fk_user_roles_assigned_by_users FOREIGN KEY (assigned_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT fk_user_roles_role_id_roles FOREIGN KEY (role_id) REFERENCES public.roles(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT fk_user_roles_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.users
    ADD CONSTRAINT fk_users_organization_id_organizations FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.workspace_allowed_organizations
    ADD CONSTRAINT fk_workspace_allowed_organizations_organization_id FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.workspace_allowed_organizations
    ADD CONSTRAINT fk_workspace_allowed_organizations_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.workspace_invitations
    ADD CONSTRAINT fk_workspace_invitations_accepted_by_users FOREIGN KEY (accepted_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.workspace_invitations
    ADD CONSTRAINT fk_workspace_invitations_created_by_users FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.workspace_invitations
    ADD CONSTRAINT fk_workspace_invitations_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.workspace_memberships
    ADD CONSTRAINT fk_workspace_memberships_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.workspace_memberships
    ADD CONSTRAINT fk_workspace_memberships_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT fk_workspaces_created_by_users FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
