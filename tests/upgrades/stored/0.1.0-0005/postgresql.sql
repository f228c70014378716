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
INSERT INTO public.action_usage VALUES ('2026-11-26', '88211173-1c0a-4afc-b142-d438e9620802', '431bd9c2-5c15-43af-87e2-74f72e179102', 'notes', 'export', 1);
INSERT INTO public.action_usage VALUES ('2026-11-26', '88211173-1c0a-4afc-b142-d438e9620802', 'd0f3eec3-4b27-4f80-ade6-0c10084bb380', 'notes', 'publish', 1);
INSERT INTO public.activity_logs VALUES ('850349db-0b63-432e-b604-67c525fd23c2', 'service_app_created', NULL, 'service_app', '1622ea70-f6d5-4dac-86f2-d34790a213f1', NULL, '{"app": "Notes", "service_name": "notes"}', '2026-11-26 02:56:49.054638+00');
INSERT INTO public.activity_logs VALUES ('36c3d025-03fe-48b5-a87b-01a855adac49', 'service_app_created', NULL, 'service_app', '5d0c4a77-be76-40e1-a357-bc84e5447086', NULL, '{"app": "Tasks", "service_name": "tasks"}', '2026-11-26 02:56:51.054638+00');
INSERT INTO public.activity_logs VALUES ('d1c28c4c-2012-4bac-b47d-745d32c6cc77', 'client_app_created', NULL, 'client_app', 'be0a2c48-9684-40b0-8a57-429b1283a3c9', NULL, '{"app": "Notes"}', '2026-11-26 02:56:52.054638+00');
INSERT INTO public.activity_logs VALUES ('7f423ba9-c7cf-4f6e-acd5-7970763264f3', 'user_login', '431bd9c2-5c15-43af-87e2-74f72e179102', 'user', '431bd9c2-5c15-43af-87e2-74f72e179102', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.activity_logs VALUES ('4cd7eb1b-99d8-4d7f-ac7d-c08ef4c68934', 'user_login', '964c9074-6807-4862-bbb1-1872c49b959f', 'user', '964c9074-6807-4862-bbb1-1872c49b959f', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.activity_logs VALUES ('61132fb3-c990-4fbc-a7d6-1b7c647cd68c', 'user_login', 'd0f3eec3-4b27-4f80-ade6-0c10084bb380', 'user', 'd0f3eec3-4b27-4f80-ade6-0c10084bb380', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.activity_logs VALUES ('2e38810d-8029-4791-98d8-486e0502388e', 'user_login', 'af7c3289-a481-4b00-b24e-0985453bd9a0', 'user', 'af7c3289-a481-4b00-b24e-0985453bd9a0', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.activity_logs VALUES ('9ec3dc5e-83e5-4d72-8ed1-4a45c30d2c25', 'user_logout', 'af7c3289-a481-4b00-b24e-0985453bd9a0', 'user', 'af7c3289-a481-4b00-b24e-0985453bd9a0', NULL, NULL, '2026-11-26 02:56:53.054638+00');
INSERT INTO public.activity_logs VALUES ('d10ff7c8-d749-459b-9c93-234797ca07aa', 'group_created', '431bd9c2-5c15-43af-87e2-74f72e179102', 'group', 'a2809000-e326-45dd-9ad2-56d70858249d', '88211173-1c0a-4afc-b142-d438e9620802', '{"name": "Writers"}', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.activity_logs VALUES ('17fbd565-788a-42f0-829d-5fe42dfe2844', 'group_member_added', '431bd9c2-5c15-43af-87e2-74f72e179102', 'user', 'd0f3eec3-4b27-4f80-ade6-0c10084bb380', '88211173-1c0a-4afc-b142-d438e9620802', '{"group_id": "a2809000-e326-45dd-9ad2-56d70858249d"}', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.activity_logs VALUES ('008b871b-0ba8-5df2-8b52-610fbca67b51', 'action_denied', '964c9074-6807-4862-bbb1-1872c49b959f', 'user', '964c9074-6807-4862-bbb1-1872c49b959f', '88211173-1c0a-4afc-b142-d438e9620802', '{"count": 1, "action": "export", "service_name": "notes"}', '2026-11-26 02:56:00+00');
INSERT INTO public.activity_logs VALUES ('2c9d9194-38e3-573e-a0bd-26f7e380482a', 'action_denied', '431bd9c2-5c15-43af-87e2-74f72e179102', 'user', '431bd9c2-5c15-43af-87e2-74f72e179102', '88211173-1c0a-4afc-b142-d438e9620802', '{"count": 1, "action": "erase", "service_name": "notes"}', '2026-11-26 02:56:00+00');
INSERT INTO public.activity_logs VALUES ('99d244bd-1c7a-501d-896c-fe09a43d0992', 'action_denied', 'd0f3eec3-4b27-4f80-ade6-0c10084bb380', 'user', 'd0f3eec3-4b27-4f80-ade6-0c10084bb380', '88211173-1c0a-4afc-b142-d438e9620802', '{"count": 1, "action": "erase", "service_name": "notes"}', '2026-11-26 02:56:00+00');
INSERT INTO public.activity_logs VALUES ('d3dd748e-e3f8-50c7-bb0d-3803d45b3a6d', 'action_denied', '964c9074-6807-4862-bbb1-1872c49b959f', 'user', '964c9074-6807-4862-bbb1-1872c49b959f', '88211173-1c0a-4afc-b142-d438e9620802', '{"count": 1, "action": "publish", "service_name": "notes"}', '2026-11-26 02:56:00+00');
INSERT INTO public.activity_logs VALUES ('d9258971-9d3f-59ef-998b-917fa03d9e7e', 'action_denied', '431bd9c2-5c15-43af-87e2-74f72e179102', 'user', '431bd9c2-5c15-43af-87e2-74f72e179102', '88211173-1c0a-4afc-b142-d438e9620802', '{"count": 1, "action": "publish", "service_name": "notes"}', '2026-11-26 02:56:00+00');
INSERT INTO public.activity_logs VALUES ('dc17923c-1a85-50ad-be28-a64daa59b3df', 'action_denied', 'd0f3eec3-4b27-4f80-ade6-0c10084bb380', 'user', 'd0f3eec3-4b27-4f80-ade6-0c10084bb380', '88211173-1c0a-4afc-b142-d438e9620802', '{"count": 1, "action": "export", "service_name": "notes"}', '2026-11-26 02:56:00+00');
INSERT INTO public.activity_logs VALUES ('fc616372-dd78-5b1f-82d7-81897f72d561', 'action_denied', '964c9074-6807-4862-bbb1-1872c49b959f', 'user', '964c9074-6807-4862-bbb1-1872c49b959f', '88211173-1c0a-4afc-b142-d438e9620802', '{"count": 1, "action": "erase", "service_name": "notes"}', '2026-11-26 02:56:00+00');
INSERT INTO public.alembic_version VALUES ('0005');
INSERT INTO public.client_apps VALUES ('be0a2c48-9684-40b0-8a57-429b1283a3c9', 'Notes', '{https://notes.example.com/callback}', true, NULL, '2026-11-26 02:56:52.054638+00', '2026-11-26 02:56:52.054638+00');
INSERT INTO public.group_memberships VALUES ('bcb4ee2b-c226-4a51-b996-f20cf8c820bf', 'a2809000-e326-45dd-9ad2-56d70858249d', 'd0f3eec3-4b27-4f80-ade6-0c10084bb380', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.group_roles VALUES ('3b4a5888-9084-43ef-b01d-f50191534044', 'a2809000-e326-45dd-9ad2-56d70858249d', 'd8dd5d69-b5af-447b-a4cd-ec2d936770ed', '431bd9c2-5c15-43af-87e2-74f72e179102', '2026-11-26 02:56:54.054638+00');
INSERT INTO public.groups VALUES ('a2809000-e326-45dd-9ad2-56d70858249d', '88211173-1c0a-4afc-b142-d438e9620802', 'Writers', NULL, '431bd9c2-5c15-43af-87e2-74f72e179102', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.organization_domains VALUES ('8b5a4b26-d2c1-4eb2-9096-582e76025ac2', 'b865e6cc-7eb0-4a7c-a66f-af20f7cd04f4', 'example.com', false, '2026-11-26 02:56:40.054638+00');
INSERT INTO public.organizations VALUES ('00000000-0000-0000-0000-000000000001', 'public', 'Public', true, true, NULL, '2026-11-26 02:56:30.548575+00');
INSERT INTO public.organizations VALUES ('b865e6cc-7eb0-4a7c-a66f-af20f7cd04f4', 'example', 'Org', false, true, NULL, '2026-11-26 02:56:39.054638+00');
INSERT INTO public.realms VALUES ('21351a20-9b2d-4227-a3b8-d844e00371a0', 'suite', 'Suite', 300, true, NULL, '2026-11-26 02:56:50.054638+00', '2026-11-26 02:56:50.054638+00');
INSERT INTO public.refresh_families VALUES ('ee45ec8a-a80a-490b-9a0d-952460474bc9', '431bd9c2-5c15-43af-87e2-74f72e179102', '88211173-1c0a-4afc-b142-d438e9620802', 'be0a2c48-9684-40b0-8a57-429b1283a3c9', '2026-11-26 02:56:53.054638+00', '127.0.0.1', 'stage/1.0', NULL, NULL);
INSERT INTO public.refresh_families VALUES ('5a836869-1fdb-447e-9597-2406eeaafe1d', '964c9074-6807-4862-bbb1-1872c49b959f', '88211173-1c0a-4afc-b142-d438e9620802', 'be0a2c48-9684-40b0-8a57-429b1283a3c9', '2026-11-26 02:56:53.054638+00', '127.0.0.1', 'stage/1.0', NULL, NULL);
INSERT INTO public.refresh_families VALUES ('912ad9fd-7302-45f8-8106-7217b3257bec', 'd0f3eec3-4b27-4f80-ade6-0c10084bb380', '88211173-1c0a-4afc-b142-d438e9620802', 'be0a2c48-9684-40b0-8a57-429b1283a3c9', '2026-11-26 02:56:53.054638+00', '127.0.0.1', 'stage/1.0', NULL, NULL);
INSERT INTO public.refresh_families VALUES ('847ec65d-6c08-4611-b3d7-6932e2730ebb', 'af7c3289-a481-4b00-b24e-0985453bd9a0', '88211173-1c0a-4afc-b142-d438e9620802', 'be0a2c48-9684-40b0-8a57-429b1283a3c9', '2026-11-26 02:56:53.054638+00', '127.0.0.1', 'stage/1.0', '2026-11-26 02:56:53.054638+00', 'logout');
INSERT INTO public.refresh_tokens VALUES ('8cf100cd-4cbe-4ceb-b417-591aa47c2409', 'ee45ec8a-a80a-490b-9a0d-952460474bc9', 'a8d1d214-29a7-4c28-b925-079ad5c3036f', '2026-11-26 03:11:53+00', '2026-11-26 02:56:53.054638+00', '2026-12-03 02:56:53+00', NULL);
INSERT INTO public.refresh_tokens VALUES ('83c4f4f5-d8b6-4283-8152-ac54e6e8310f', '5a836869-1fdb-447e-9597-2406eeaafe1d', '1b0f9569-d0f2-4380-8027-6dc1c28bb435', '2026-11-26 03:11:53+00', '2026-11-26 02:56:53.054638+00', '2026-12-03 02:56:53+00', NULL);
INSERT INTO public.refresh_tokens VALUES ('1cd4844d-642e-4222-8879-aea2107f7c6f', '912ad9fd-7302-45f8-8106-7217b3257bec', '9bbc631e-3b3d-4b52-a9c9-ad7d592419e1', '2026-11-26 03:11:53+00', '2026-11-26 02:56:53.054638+00', '2026-12-03 02:56:53+00', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.refresh_tokens VALUES ('6dfd7f7a-c72e-4f70-88da-8ced4e5a23cb', '912ad9fd-7302-45f8-8106-7217b3257bec', 'c94b612d-4705-4a37-b385-6878811bc90e', '2026-11-26 03:11:53+00', '2026-11-26 02:56:53.054638+00', '2026-12-03 02:56:53+00', NULL);
INSERT INTO public.resource_permissions VALUES ('f1be11fb-c023-446b-bfab-23e7d19bb4ed', 'notes', 'document', '42f42ff9-df50-5b75-8c16-cbe77cbfbbf1', '88211173-1c0a-4afc-b142-d438e9620802', '431bd9c2-5c15-43af-87e2-74f72e179102', 'workspace', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.resource_permissions VALUES ('97a14bcc-1110-45fc-bc3c-bd375017aa0d', 'notes', 'document', '239080f3-4882-58a7-bc79-38505d4d50a3', '88211173-1c0a-4afc-b142-d438e9620802', '431bd9c2-5c15-43af-87e2-74f72e179102', 'private', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.resource_permissions VALUES ('2db14190-24d0-4c48-a4e7-5a807db946bf', 'notes', 'document', 'c5f0f745-0628-5e74-8b55-d4f1723e07e4', '88211173-1c0a-4afc-b142-d438e9620802', '431bd9c2-5c15-43af-87e2-74f72e179102', 'private', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.resource_permissions VALUES ('70f7b408-9ce4-4843-96c7-c593794de76e', 'notes', 'document', '6fbdb790-3ad4-5463-96f3-86f6a3bd7c84', '88211173-1c0a-4afc-b142-d438e9620802', '431bd9c2-5c15-43af-87e2-74f72e179102', 'private', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.resource_permissions VALUES ('ae31f2e6-535e-489f-bc00-d73e3f505c57', 'notes', 'document', '633f109e-0bd2-52a6-aed0-eed426da5aa4', '88211173-1c0a-4afc-b142-d438e9620802', '431bd9c2-5c15-43af-87e2-74f72e179102', 'private', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.resource_permissions VALUES ('13e128af-9ca3-4809-9b24-7a9b3ace61b5', 'notes', 'document', 'a50cfad5-26e0-5c55-8fcc-80fafeca6715', '88211173-1c0a-4afc-b142-d438e9620802', '431bd9c2-5c15-43af-87e2-74f72e179102', 'private', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.resource_shares VALUES ('3f6c3950-015b-415a-9cbd-d54310745792', '2db14190-24d0-4c48-a4e7-5a807db946bf', 'user', '964c9074-6807-4862-bbb1-1872c49b959f', 'view', '431bd9c2-5c15-43af-87e2-74f72e179102', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.resource_shares VALUES ('71d706e6-e58b-4b8c-919b-47b74304b096', '70f7b408-9ce4-4843-96c7-c593794de76e', 'group', 'a2809000-e326-45dd-9ad2-56d70858249d', 'edit', '431bd9c2-5c15-43af-87e2-74f72e179102', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.resource_shares VALUES ('c53678ad-2e34-45d5-8a4a-d5632e1357c8', 'ae31f2e6-535e-489f-bc00-d73e3f505c57', 'user', '964c9074-6807-4862-bbb1-1872c49b959f', 'view', '431bd9c2-5c15-43af-87e2-74f72e179102', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.resource_shares VALUES ('8bed0172-9cb2-4add-ab58-f56311107769', 'ae31f2e6-535e-489f-bc00-d73e3f505c57', 'group', 'a2809000-e326-45dd-9ad2-56d70858249d', 'edit', '431bd9c2-5c15-43af-87e2-74f72e179102', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.revoked_tokens VALUES ('4493eca2-076e-4499-afd9-0d34db6275a7', '2026-11-26 03:11:53+00');
INSERT INTO public.revoked_tokens VALUES ('255ce78e-bca1-52fa-a54f-a2accb87f2a1', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.role_actions VALUES ('b5a449f7-6b2c-44b3-b584-093c581aafc0', 'd8dd5d69-b5af-447b-a4cd-ec2d936770ed', 'b8b5d89f-cbd1-446f-80cf-6e1c00c7dbeb');
INSERT INTO public.role_actions VALUES ('1d7ad164-3233-444c-bd56-95d10123ff3d', 'df35b073-d1f2-4877-829c-32de5d20dd9b', 'd0868599-8cc5-4591-926c-6220d56543ea');
INSERT INTO public.roles VALUES ('d8dd5d69-b5af-447b-a4cd-ec2d936770ed', '88211173-1c0a-4afc-b142-d438e9620802', 'Press', '…', '431bd9c2-5c15-43af-87e2-74f72e179102', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.roles VALUES ('df35b073-d1f2-4877-829c-32de5d20dd9b', '88211173-1c0a-4afc-b142-d438e9620802', 'Office', '…', '431bd9c2-5c15-43af-87e2-74f72e179102', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.service_actions VALUES ('6a9dc2e4-1295-44bd-b3d5-fa135c2e8798', 'notes', 'erase', 'To erase', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.service_actions VALUES ('d0868599-8cc5-4591-926c-6220d56543ea', 'notes', 'export', 'To export', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.service_actions VALUES ('b8b5d89f-cbd1-446f-80cf-6e1c00c7dbeb', 'notes', 'publish', 'To publish', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.service_apps VALUES ('5d0c4a77-be76-40e1-a357-bc84e5447086', 'Tasks', 'tasks', '7063b19539a1c334db310dbc6347ac3e1c1860cba1b370025d404c948f41e933', 'sk_Dh7p****', NULL, NULL, true, '{}', '{}', '21351a20-9b2d-4227-a3b8-d844e00371a0', NULL, NULL, '2026-11-26 02:56:51.054638+00', '2026-11-26 02:56:51.054638+00');
INSERT INTO public.service_apps VALUES ('1622ea70-f6d5-4dac-86f2-d34790a213f1', 'Notes', 'notes', 'e1d019d87633c8840105372e61ea7e5ae9f3349b6137cf28c3dffc31ab0570bb', 'sk_Eo-k****', NULL, NULL, true, '{}', '{}', NULL, '2026-11-26 02:56:55.054638+00', NULL, '2026-11-26 02:56:49.054638+00', '2026-11-26 02:56:49.054638+00');
INSERT INTO public.sign_in_memory VALUES ('431bd9c2-5c15-43af-87e2-74f72e179102', 'device', 'Other / Other', '2026-11-26 02:56:53.054638+00', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.sign_in_memory VALUES ('964c9074-6807-4862-bbb1-1872c49b959f', 'device', 'Other / Other', '2026-11-26 02:56:53.054638+00', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.sign_in_memory VALUES ('d0f3eec3-4b27-4f80-ade6-0c10084bb380', 'device', 'Other / Other', '2026-11-26 02:56:53.054638+00', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.sign_in_memory VALUES ('af7c3289-a481-4b00-b24e-0985453bd9a0', 'device', 'Other / Other', '2026-11-26 02:56:53.054638+00', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.sign_in_memory VALUES ('431bd9c2-5c15-43af-87e2-74f72e179102', 'country', 'AT', '2026-11-26 02:56:53.054638+00', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.social_accounts VALUES ('15b325b5-25d1-4e03-84b7-793a97ce41cb', '431bd9c2-5c15-43af-87e2-74f72e179102', 'corp', 'sub-ada', '{}');
INSERT INTO public.social_accounts VALUES ('23d7d260-f3c6-4ce5-8432-fac3dc5d6218', '964c9074-6807-4862-bbb1-1872c49b959f', 'corp', 'sub-grace', '{}');
INSERT INTO public.social_accounts VALUES ('76631872-bbc9-4b3b-87ba-0945e44a7d23', 'd0f3eec3-4b27-4f80-ade6-0c10084bb380', 'corp', 'sub-linus', '{}');
INSERT INTO public.social_accounts VALUES ('21782dbd-775b-4aa9-ba94-4586fc5bbb33', 'af7c3289-a481-4b00-b24e-0985453bd9a0', 'corp', 'sub-gone', '{}');
INSERT INTO public.user_roles VALUES ('72ded4fb-685c-46cc-a22f-f6e6c66ea9dc', '431bd9c2-5c15-43af-87e2-74f72e179102', 'df35b073-d1f2-4877-829c-32de5d20dd9b', '431bd9c2-5c15-43af-87e2-74f72e179102', '2026-11-26 02:56:54.054638+00');
INSERT INTO public.users VALUES ('431bd9c2-5c15-43af-87e2-74f72e179102', 'ada@example.com', 'Ada Élan', NULL, true, false, 'b865e6cc-7eb0-4a7c-a66f-af20f7cd04f4', 0, '2026-11-26 02:56:31.054638+00', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.users VALUES ('964c9074-6807-4862-bbb1-1872c49b959f', 'grace@example.com', 'Grace Élan', NULL, true, false, 'b865e6cc-7eb0-4a7c-a66f-af20f7cd04f4', 0, '2026-11-26 02:56:33.054638+00', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.users VALUES ('d0f3eec3-4b27-4f80-ade6-0c10084bb380', 'linus@example.com', 'Linus Élan', NULL, true, false, 'b865e6cc-7eb0-4a7c-a66f-af20f7cd04f4', 0, '2026-11-26 02:56:35.054638+00', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.users VALUES ('af7c3289-a481-4b00-b24e-0985453bd9a0', 'gone@example.com', 'Gone Élan', NULL, true, false, 'b865e6cc-7eb0-4a7c-a66f-af20f7cd04f4', 1, '2026-11-26 02:56:37.054638+00', '2026-11-26 02:56:53.054638+00');
INSERT INTO public.workspace_allowed_organizations VALUES ('f3a40c52-6309-424e-9d75-e51030454bf1', 'c4130b7c-e829-4b13-81dc-325742d7ab18', 'b865e6cc-7eb0-4a7c-a66f-af20f7cd04f4');
INSERT INTO public.workspace_memberships VALUES ('98fe86d9-33fe-4cf0-8ef9-6dc314a7b8a1', '88211173-1c0a-4afc-b142-d438e9620802', '431bd9c2-5c15-43af-87e2-74f72e179102', 'owner', '2026-11-26 02:56:42.054638+00');
INSERT INTO public.workspace_memberships VALUES ('6c93bf37-c9ab-4318-a156-85c36a91bd5f', 'c4130b7c-e829-4b13-81dc-325742d7ab18', '964c9074-6807-4862-bbb1-1872c49b959f', 'owner', '2026-11-26 02:56:44.054638+00');
INSERT INTO public.workspace_memberships VALUES ('5d90c1d3-be4f-4f4c-a5f1-681381044d3a', '88211173-1c0a-4afc-b142-d438e9620802', '964c9074-6807-4862-bbb1-1872c49b959f', 'admin', '2026-11-26 02:56:45.054638+00');
INSERT INTO public.workspace_memberships VALUES ('2a199174-b7ec-4f4c-b1d2-adcf48567b29', '88211173-1c0a-4afc-b142-d438e9620802', 'd0f3eec3-4b27-4f80-ade6-0c10084bb380', 'viewer', '2026-11-26 02:56:46.054638+00');
INSERT INTO public.workspace_memberships VALUES ('4b7efc62-6173-41e2-a900-054daadf53da', '88211173-1c0a-4afc-b142-d438e9620802', 'af7c3289-a481-4b00-b24e-0985453bd9a0', 'editor', '2026-11-26 02:56:47.054638+00');
INSERT INTO public.workspaces VALUES ('88211173-1c0a-4afc-b142-d438e9620802', 'acme', 'Acme · Österreich', NULL, '431bd9c2-5c15-43af-87e2-74f72e179102', '2026-11-26 02:56:41.054638+00');
INSERT INTO public.workspaces VALUES ('c4130b7c-e829-4b13-81dc-325742d7ab18', 'elsewhere', 'Acme', NULL, '964c9074-6807-4862-bbb1-1872c49b959f', '2026-11-26 02:56:43.054638+00');
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
CREATE INDEX ix_action_usage_grant ON public.action_usage USING btree (user_id, workspace_id, service_name, action, day);
CREATE INDEX ix_action_usage_workspace_id ON public.action_usage USING btree (workspace_id);
CREATE INDEX ix_activity_logs_action_created_at_id ON public.activity_logs USING btree (action, created_at, id);
CREATE INDEX ix_activity_logs_actor_id_created_at_id ON public.activity_logs USING btree (actor_id, created_at, id);
CREATE INDEX ix_activity_logs_created_at_id_action ON public.activity_logs USING btree (created_at, id, action);
CREATE INDEX ix_activity_logs_target_type_created_at_id ON public.activity_logs USING btree (target_type, created_at, id);
CREATE INDEX ix_activity_logs_target_type_target_id_created_at_id ON public.activity_logs USING btree (target_type, target_id, created_at, id);
CREATE INDEX ix_activity_logs_workspace_id_created_at_id ON public.activity_logs USING btree (workspace_id, created_at, id);
CREATE INDEX ix_authorization_codes_client_app_id ON public.authorization_codes USING btree (client_app_id);
CREATE INDEX ix_authorization_codes_expires_at ON public.authorization_codes USING btree (expires_at);
CREATE INDEX ix_authorization_codes_user_id ON public.authorization_codes USING btree (user_id);
CREATE INDEX ix_group_memberships_group_id_added_at_user_id ON public.group_memberships USING btree (group_id, added_at, user_id);
CREATE INDEX ix_group_memberships_user_id ON public.group_memberships USING btree (user_id);
CREATE INDEX ix_group_roles_group_id ON public.group_roles USING btree (group_id);
CREATE INDEX ix_group_roles_role_id ON public.group_roles USING btree (role_id);
CREATE INDEX ix_groups_workspace_id_created_at_id ON public.groups USING btree (workspace_id, created_at, id);
CREATE INDEX ix_organization_domains_organization_id ON public.organization_domains USING btree (organization_id);
CREATE INDEX ix_refresh_families_client_app_id ON public.refresh_families USING btree (client_app_id);
CREATE INDEX ix_refresh_families_user_id ON public.refresh_families USING btree (user_id);
CREATE INDEX ix_refresh_families_workspace_id ON public.refresh_families USING btree (workspace_id);
CREATE INDEX ix_refresh_tokens_expires_at ON public.refresh_tokens USING btree (expires_at);
CREATE INDEX ix_refresh_tokens_family_id ON public.refresh_tokens USING btree (family_id);
CREATE INDEX ix_resource_permissions_created_at_id ON public.resource_permissions USING btree (created_at, id);
CREATE INDEX ix_resource_permissions_owner_id ON public.resource_permissions USING btree (owner_id);
CREATE INDEX ix_resource_permissions_reach ON public.resource_permissions USING btree (workspace_id, service_name, resource_type, created_at, id);
CREATE INDEX ix_resource_permissions_resource_id ON public.resource_permissions USING btree (resource_id);
CREATE INDEX ix_resource_permissions_service_name_created_at_id ON public.resource_permissions USING btree (service_name, created_at, id);
CREATE INDEX ix_resource_permissions_workspace_id_created_at_id ON public.resource_permissions USING btree (workspace_id, created_at, id);
CREATE INDEX ix_resource_shares_grantee_type_grantee_id ON public.resource_shares USING btree (grantee_type, grantee_id);
CREATE INDEX ix_revoked_tokens_expires_at ON public.revoked_tokens USING btree (expires_at);
CREATE INDEX ix_role_actions_role_id ON public.role_actions USING btree (role_id);
CREATE INDEX ix_role_actions_service_action_id ON public.role_actions USING btree (service_action_id);
CREATE INDEX ix_roles_workspace_id ON public.roles USING btree (workspace_id);
CREATE INDEX ix_service_actions_service_name ON public.service_actions USING btree (service_name);
CREATE INDEX ix_service_apps_is_active ON public.service_apps USING btree (is_active);
CREATE INDEX ix_service_apps_realm_id ON public.service_apps USING btree (realm_id);
CREATE INDEX ix_sign_in_memory_last_seen ON public.sign_in_memory USING btree (last_seen);
CREATE INDEX ix_social_accounts_user_id ON public.social_accounts USING btree (user_id);
CREATE INDEX ix_user_roles_role_id_assigned_at_user_id ON public.user_roles USING btree (role_id, assigned_at, user_id);
CREATE INDEX ix_user_roles_user_id ON public.user_roles USING btree (user_id);
CREATE INDEX ix_users_administrators ON public.users USING btree (created_at, id) WHERE is_admin;
CREATE INDEX ix_users_created_at_id ON public.users USING btree (created_at, id);
CREATE INDEX ix_users_is_active_created_at_id ON public.users USING btree (is_active, created_at, id);
CREATE INDEX ix_users_organization_id_email ON public.users USING btree (organization_id, email);
CREATE INDEX ix_workspace_allowed_organizations_organization_id ON public.workspace_allowed_organizations USING btree (organization_id);
CREATE INDEX ix_workspace_allowed_organizations_workspace_id ON public.workspace_allowed_organizations USING btree (workspace_id);
CREATE INDEX ix_workspace_invitations_workspace_id ON public.workspace_invitations USING btree (workspace_id);
CREATE INDEX ix_workspace_memberships_user_id ON public.workspace_memberships USING btree (user_id);
CREATE INDEX ix_workspace_memberships_workspace_id_joined_at_user_id ON public.workspace_memberships USING btree (workspace_id, joined_at, user_id);
CREATE INDEX ix_workspaces_created_at_id ON public.workspaces USING btree (created_at, id);
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
