BEGIN TRANSACTION;
CREATE TABLE action_usage (
	day DATE NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	service_name TEXT NOT NULL, 
	action TEXT NOT NULL, 
	count INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_action_usage PRIMARY KEY (day, workspace_id, user_id, service_name, action), 
	CONSTRAINT fk_action_usage_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_action_usage_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE
);
INSERT INTO "action_usage" VALUES('2026-11-25','e9544e8938724102bfd2a1f7a55bd418','6fe2f57d300948d98c3db02e5c030824','notes','export',1);
INSERT INTO "action_usage" VALUES('2026-11-25','e9544e8938724102bfd2a1f7a55bd418','76711598b8384ff9afd6d6d6dcf01425','notes','publish',1);
CREATE TABLE activity_logs (
	id CHAR(32) NOT NULL, 
	action TEXT NOT NULL, 
	actor_id CHAR(32), 
	target_type TEXT NOT NULL, 
	target_id CHAR(32) NOT NULL, 
	workspace_id CHAR(32), 
	detail JSON, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_activity_logs PRIMARY KEY (id), 
	CONSTRAINT fk_activity_logs_actor_id_users FOREIGN KEY(actor_id) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_activity_logs_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE SET NULL
);
INSERT INTO "activity_logs" VALUES('33bc997f757a4691bfef75edfbe39cdf','service_app_created',NULL,'service_app','a307ba9e544843baa3c9f61916bff040',NULL,'{"app": "Notes", "service_name": "notes"}','2026-11-25 23:49:34.900392');
INSERT INTO "activity_logs" VALUES('ed315b89f8e54dfca70b9979e6aa2a11','service_app_created',NULL,'service_app','129406f937bf4c0d8b0f42df2b4bc11d',NULL,'{"app": "Tasks", "service_name": "tasks"}','2026-11-25 23:49:36.900392');
INSERT INTO "activity_logs" VALUES('380fadce271347fcbe616a1b9213660e','client_app_created',NULL,'client_app','050500200bb54f409ead175d843eafa7',NULL,'{"app": "Notes"}','2026-11-25 23:49:37.900392');
INSERT INTO "activity_logs" VALUES('009b4e467c0d4b72821378d0164356bf','user_login','6fe2f57d300948d98c3db02e5c030824','user','6fe2f57d300948d98c3db02e5c030824',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-25 23:49:38.900392');
INSERT INTO "activity_logs" VALUES('77de1eb3610141cca6910276d048ec4d','user_login','08e93a000a7848dcbeb9d25c84b22ffa','user','08e93a000a7848dcbeb9d25c84b22ffa',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-25 23:49:38.900392');
INSERT INTO "activity_logs" VALUES('394e115e9fc94e4997048d79fba97e55','user_login','76711598b8384ff9afd6d6d6dcf01425','user','76711598b8384ff9afd6d6d6dcf01425',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-25 23:49:38.900392');
INSERT INTO "activity_logs" VALUES('5f5d130536834b3da4bc4a9063a992e9','user_login','d10be180261845b99b0a8831d9952106','user','d10be180261845b99b0a8831d9952106',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-25 23:49:38.900392');
INSERT INTO "activity_logs" VALUES('575288edb0e746b7bd178d6487e4351f','user_logout','d10be180261845b99b0a8831d9952106','user','d10be180261845b99b0a8831d9952106',NULL,NULL,'2026-11-25 23:49:38.900392');
INSERT INTO "activity_logs" VALUES('5fff5ac8a6144696ac8a1bb1507e750a','group_created','6fe2f57d300948d98c3db02e5c030824','group','e79c4953bc3f40a8946ab0f1957b116a','e9544e8938724102bfd2a1f7a55bd418','{"name": "Writers"}','2026-11-25 23:49:38.900392');
INSERT INTO "activity_logs" VALUES('3223cb9177a14db78ac518a5ce4b9d85','group_member_added','6fe2f57d300948d98c3db02e5c030824','user','76711598b8384ff9afd6d6d6dcf01425','e9544e8938724102bfd2a1f7a55bd418','{"group_id": "e79c4953-bc3f-40a8-946a-b0f1957b116a"}','2026-11-25 23:49:38.900392');
INSERT INTO "activity_logs" VALUES('4dc958aad1fc54faa7ad4c2671627ac9','action_denied','08e93a000a7848dcbeb9d25c84b22ffa','user','08e93a000a7848dcbeb9d25c84b22ffa','e9544e8938724102bfd2a1f7a55bd418','{"service_name": "notes", "action": "export", "count": 1}','2026-11-25 23:49:00.000000');
INSERT INTO "activity_logs" VALUES('53979817c65c5494971bdd4dbd7b17e4','action_denied','6fe2f57d300948d98c3db02e5c030824','user','6fe2f57d300948d98c3db02e5c030824','e9544e8938724102bfd2a1f7a55bd418','{"service_name": "notes", "action": "publish", "count": 1}','2026-11-25 23:49:00.000000');
INSERT INTO "activity_logs" VALUES('691c72b773cd5345bfbc23e9d22d9581','action_denied','6fe2f57d300948d98c3db02e5c030824','user','6fe2f57d300948d98c3db02e5c030824','e9544e8938724102bfd2a1f7a55bd418','{"service_name": "notes", "action": "erase", "count": 1}','2026-11-25 23:49:00.000000');
INSERT INTO "activity_logs" VALUES('7491d79dbfc95c96b838c53d861998e9','action_denied','08e93a000a7848dcbeb9d25c84b22ffa','user','08e93a000a7848dcbeb9d25c84b22ffa','e9544e8938724102bfd2a1f7a55bd418','{"service_name": "notes", "action": "erase", "count": 1}','2026-11-25 23:49:00.000000');
INSERT INTO "activity_logs" VALUES('b04367e1ebbc5c248bc3ebecbf60c564','action_denied','08e93a000a7848dcbeb9d25c84b22ffa','user','08e93a000a7848dcbeb9d25c84b22ffa','e9544e8938724102bfd2a1f7a55bd418','{"service_name": "notes", "action": "publish", "count": 1}','2026-11-25 23:49:00.000000');
INSERT INTO "activity_logs" VALUES('dab1ad4b01f85f2fa924867057e46d65','action_denied','76711598b8384ff9afd6d6d6dcf01425','user','76711598b8384ff9afd6d6d6dcf01425','e9544e8938724102bfd2a1f7a55bd418','{"service_name": "notes", "action": "export", "count": 1}','2026-11-25 23:49:00.000000');
INSERT INTO "activity_logs" VALUES('f713878ec882549ab8aa5f1779726575','action_denied','76711598b8384ff9afd6d6d6dcf01425','user','76711598b8384ff9afd6d6d6dcf01425','e9544e8938724102bfd2a1f7a55bd418','{"service_name": "notes", "action": "erase", "count": 1}','2026-11-25 23:49:00.000000');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE authorization_codes (
	code_hash CHAR(64) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	client_app_id CHAR(32) NOT NULL, 
	provider TEXT NOT NULL, 
	code_challenge TEXT, 
	code_challenge_method TEXT, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_authorization_codes PRIMARY KEY (code_hash), 
	CONSTRAINT fk_authorization_codes_client_app_id_client_apps FOREIGN KEY(client_app_id) REFERENCES client_apps (id) ON DELETE CASCADE, 
	CONSTRAINT fk_authorization_codes_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE client_apps (
	id CHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	redirect_uris JSON NOT NULL, 
	is_active BOOLEAN DEFAULT 1 NOT NULL, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_client_apps PRIMARY KEY (id), 
	CONSTRAINT fk_client_apps_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL
);
INSERT INTO "client_apps" VALUES('050500200bb54f409ead175d843eafa7','Notes','["https://notes.example.com/callback"]',1,NULL,'2026-11-25 23:49:37.900392','2026-11-25 23:49:37.900392');
CREATE TABLE group_memberships (
	id CHAR(32) NOT NULL, 
	group_id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	added_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_group_memberships PRIMARY KEY (id), 
	CONSTRAINT fk_group_memberships_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id) ON DELETE CASCADE, 
	CONSTRAINT fk_group_memberships_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_group_memberships_group_id_user_id UNIQUE (group_id, user_id)
);
INSERT INTO "group_memberships" VALUES('6c440db37fa045e98dfe246aae621a49','e79c4953bc3f40a8946ab0f1957b116a','76711598b8384ff9afd6d6d6dcf01425','2026-11-25 23:49:38.900392');
CREATE TABLE group_roles (
	id CHAR(32) NOT NULL, 
	group_id CHAR(32) NOT NULL, 
	role_id CHAR(32) NOT NULL, 
	assigned_by CHAR(32), 
	assigned_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_group_roles PRIMARY KEY (id), 
	CONSTRAINT fk_group_roles_assigned_by_users FOREIGN KEY(assigned_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_group_roles_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id) ON DELETE CASCADE, 
	CONSTRAINT fk_group_roles_role_id_roles FOREIGN KEY(role_id) REFERENCES roles (id) ON DELETE CASCADE, 
	CONSTRAINT uq_group_roles_group_id_role_id UNIQUE (group_id, role_id)
);
INSERT INTO "group_roles" VALUES('752a82860c51448a876ebc8e0621bdac','e79c4953bc3f40a8946ab0f1957b116a','dff786423b4646e29d9b7021e6a658c0','6fe2f57d300948d98c3db02e5c030824','2026-11-25 23:49:39.900392');
CREATE TABLE groups (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_groups PRIMARY KEY (id), 
	CONSTRAINT fk_groups_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_groups_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_groups_workspace_id_name UNIQUE (workspace_id, name)
);
INSERT INTO "groups" VALUES('e79c4953bc3f40a8946ab0f1957b116a','e9544e8938724102bfd2a1f7a55bd418','Writers',NULL,'6fe2f57d300948d98c3db02e5c030824','2026-11-25 23:49:38.900392');
CREATE TABLE organization_domains (
	id CHAR(32) NOT NULL, 
	organization_id CHAR(32) NOT NULL, 
	domain TEXT NOT NULL, 
	include_subdomains BOOLEAN DEFAULT 0 NOT NULL, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_organization_domains PRIMARY KEY (id), 
	CONSTRAINT fk_organization_domains_organization_id_organizations FOREIGN KEY(organization_id) REFERENCES organizations (id) ON DELETE CASCADE, 
	CONSTRAINT uq_organization_domains_domain UNIQUE (domain)
);
INSERT INTO "organization_domains" VALUES('00f5ea22027445888903b3ab9e3576de','3ea8b06a9ca84463bf5653c20c09b5d2','example.com',0,'2026-11-25 23:49:25.900392');
CREATE TABLE organizations (
	id CHAR(32) NOT NULL, 
	slug VARCHAR(63) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	is_public BOOLEAN DEFAULT 0 NOT NULL, 
	enabled BOOLEAN DEFAULT 1 NOT NULL, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_organizations PRIMARY KEY (id), 
	CONSTRAINT fk_organizations_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT uq_organizations_slug UNIQUE (slug)
);
INSERT INTO "organizations" VALUES('00000000000000000000000000000001','public','Public',1,1,NULL,'2026-11-25 23:49:16.895863');
INSERT INTO "organizations" VALUES('3ea8b06a9ca84463bf5653c20c09b5d2','example','Org',0,1,NULL,'2026-11-25 23:49:24.900392');
CREATE TABLE realms (
	id CHAR(32) NOT NULL, 
	slug VARCHAR(255) NOT NULL, 
	name TEXT NOT NULL, 
	m2m_ttl_s INTEGER DEFAULT (300) NOT NULL, 
	is_active BOOLEAN DEFAULT 1 NOT NULL, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_realms PRIMARY KEY (id), 
	CONSTRAINT ck_realms_ck_realms_m2m_ttl_s CHECK (m2m_ttl_s BETWEEN 30 AND 3600), 
	CONSTRAINT fk_realms_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT uq_realms_slug UNIQUE (slug)
);
INSERT INTO "realms" VALUES('a2f3910af9b441daa33a965820bd5ea4','suite','Suite',300,1,NULL,'2026-11-25 23:49:35.900392','2026-11-25 23:49:35.900392');
CREATE TABLE refresh_families (
	id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	client_app_id CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	last_ip TEXT, 
	last_user_agent TEXT, 
	revoked_at DATETIME, 
	revoke_reason TEXT, 
	CONSTRAINT pk_refresh_families PRIMARY KEY (id), 
	CONSTRAINT fk_refresh_families_client_app_id_client_apps FOREIGN KEY(client_app_id) REFERENCES client_apps (id) ON DELETE SET NULL, 
	CONSTRAINT fk_refresh_families_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_refresh_families_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE
);
INSERT INTO "refresh_families" VALUES('c2128c49bed9488a8c874bede7366ef6','6fe2f57d300948d98c3db02e5c030824','e9544e8938724102bfd2a1f7a55bd418','050500200bb54f409ead175d843eafa7','2026-11-25 23:49:38.900392','127.0.0.1','stage/1.0',NULL,NULL);
INSERT INTO "refresh_families" VALUES('230a7b7a5c42418dbf24f82d93d2d9ad','08e93a000a7848dcbeb9d25c84b22ffa','e9544e8938724102bfd2a1f7a55bd418','050500200bb54f409ead175d843eafa7','2026-11-25 23:49:38.900392','127.0.0.1','stage/1.0',NULL,NULL);
INSERT INTO "refresh_families" VALUES('80b9c6ac2ce0453c9905d615eb949012','76711598b8384ff9afd6d6d6dcf01425','e9544e8938724102bfd2a1f7a55bd418','050500200bb54f409ead175d843eafa7','2026-11-25 23:49:38.900392','127.0.0.1','stage/1.0',NULL,NULL);
INSERT INTO "refresh_families" VALUES('00682280496b4b1595142c81bc1f103b','d10be180261845b99b0a8831d9952106','e9544e8938724102bfd2a1f7a55bd418','050500200bb54f409ead175d843eafa7','2026-11-25 23:49:38.900392','127.0.0.1','stage/1.0','2026-11-25 23:49:38.900392','logout');
CREATE TABLE refresh_tokens (
	jti CHAR(32) NOT NULL, 
	family_id CHAR(32) NOT NULL, 
	access_jti CHAR(32) NOT NULL, 
	access_expires_at DATETIME NOT NULL, 
	issued_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	consumed_at DATETIME, 
	CONSTRAINT pk_refresh_tokens PRIMARY KEY (jti), 
	CONSTRAINT fk_refresh_tokens_family_id_refresh_families FOREIGN KEY(family_id) REFERENCES refresh_families (id) ON DELETE CASCADE
);
INSERT INTO "refresh_tokens" VALUES('8f3e94d18e9a4949b69c6def15d0d5cd','c2128c49bed9488a8c874bede7366ef6','24d239584ed148cf97b8ab8dfc5db125','2026-11-26 00:04:38.000000','2026-11-25 23:49:38.900392','2026-12-02 23:49:38.000000',NULL);
INSERT INTO "refresh_tokens" VALUES('a0425dc00b174af5b0e3a9f1ebff4784','230a7b7a5c42418dbf24f82d93d2d9ad','ec483722498a4d1ca02c24b3e3ec8a50','2026-11-26 00:04:38.000000','2026-11-25 23:49:38.900392','2026-12-02 23:49:38.000000',NULL);
INSERT INTO "refresh_tokens" VALUES('513e3015e21249d682d5fce99126b52a','80b9c6ac2ce0453c9905d615eb949012','7de81c0419d3443085cfd424b1071ada','2026-11-26 00:04:38.000000','2026-11-25 23:49:38.900392','2026-12-02 23:49:38.000000','2026-11-25 23:49:38.900392');
INSERT INTO "refresh_tokens" VALUES('d9e4118f07ab40fb9c52e823f963795f','80b9c6ac2ce0453c9905d615eb949012','df611a4e47864f5db4044e7fe4d41a11','2026-11-26 00:04:38.000000','2026-11-25 23:49:38.900392','2026-12-02 23:49:38.000000',NULL);
CREATE TABLE resource_permissions (
	id CHAR(32) NOT NULL, 
	service_name TEXT NOT NULL, 
	resource_type TEXT NOT NULL, 
	resource_id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	owner_id CHAR(32), 
	visibility TEXT DEFAULT 'workspace' NOT NULL, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_resource_permissions PRIMARY KEY (id), 
	CONSTRAINT ck_resource_permissions_ck_resource_permissions_visibility CHECK (visibility IN ('private', 'workspace')), 
	CONSTRAINT fk_resource_permissions_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_resource_permissions_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_resource_permissions_service_name_resource_type_resource_id UNIQUE (service_name, resource_type, resource_id)
);
INSERT INTO "resource_permissions" VALUES('58cefaaa70094d9ca910b815f41f3416','notes','document','42f42ff9df505b758c16cbe77cbfbbf1','e9544e8938724102bfd2a1f7a55bd418','6fe2f57d300948d98c3db02e5c030824','workspace','2026-11-25 23:49:38.900392');
INSERT INTO "resource_permissions" VALUES('39690a449ca640fea5ee833fc31caf59','notes','document','239080f3488258a7bc7938505d4d50a3','e9544e8938724102bfd2a1f7a55bd418','6fe2f57d300948d98c3db02e5c030824','private','2026-11-25 23:49:38.900392');
INSERT INTO "resource_permissions" VALUES('35465f10fe7944deae8f312fae3a8323','notes','document','c5f0f74506285e748b55d4f1723e07e4','e9544e8938724102bfd2a1f7a55bd418','6fe2f57d300948d98c3db02e5c030824','private','2026-11-25 23:49:38.900392');
INSERT INTO "resource_permissions" VALUES('8ecf20e63d2341199fd1aedef17fc230','notes','document','6fbdb7903ad4546396f386f6a3bd7c84','e9544e8938724102bfd2a1f7a55bd418','6fe2f57d300948d98c3db02e5c030824','private','2026-11-25 23:49:38.900392');
INSERT INTO "resource_permissions" VALUES('c776c7b3e3bd4568a9f2aa514f4df050','notes','document','633f109e0bd252a6aed0eed426da5aa4','e9544e8938724102bfd2a1f7a55bd418','6fe2f57d300948d98c3db02e5c030824','private','2026-11-25 23:49:38.900392');
INSERT INTO "resource_permissions" VALUES('fc55dd705eae43b685df885c7b151d39','notes','document','a50cfad526e05c558fcc80fafeca6715','e9544e8938724102bfd2a1f7a55bd418','6fe2f57d300948d98c3db02e5c030824','private','2026-11-25 23:49:38.900392');
CREATE TABLE resource_shares (
	id CHAR(32) NOT NULL, 
	resource_permission_id CHAR(32) NOT NULL, 
	grantee_type TEXT NOT NULL, 
	grantee_id CHAR(32) NOT NULL, 
	permission TEXT NOT NULL, 
	granted_by CHAR(32), 
	granted_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_resource_shares PRIMARY KEY (id), 
	CONSTRAINT ck_resource_shares_ck_resource_shares_grantee_type CHECK (grantee_type IN ('user', 'group')), 
	CONSTRAINT ck_resource_shares_ck_resource_shares_permission CHECK (permission IN ('view', 'edit')), 
	CONSTRAINT fk_resource_shares_granted_by_users FOREIGN KEY(granted_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_resource_shares_resource_permission_id_resource_permissions FOREIGN KEY(resource_permission_id) REFERENCES resource_permissions (id) ON DELETE CASCADE, 
	CONSTRAINT uq_resource_shares_grantee UNIQUE (resource_permission_id, grantee_type, grantee_id)
);
INSERT INTO "resource_shares" VALUES('e6fcaa858f8245d7ab95f3bef82ee4d7','35465f10fe7944deae8f312fae3a8323','user','08e93a000a7848dcbeb9d25c84b22ffa','view','6fe2f57d300948d98c3db02e5c030824','2026-11-25 23:49:38.900392');
INSERT INTO "resource_shares" VALUES('a0763fab9087435aa90c4c63a8b0b5cf','8ecf20e63d2341199fd1aedef17fc230','group','e79c4953bc3f40a8946ab0f1957b116a','edit','6fe2f57d300948d98c3db02e5c030824','2026-11-25 23:49:38.900392');
INSERT INTO "resource_shares" VALUES('53455c8c12bc4b9c8f07f88f75dd5ffb','c776c7b3e3bd4568a9f2aa514f4df050','user','08e93a000a7848dcbeb9d25c84b22ffa','view','6fe2f57d300948d98c3db02e5c030824','2026-11-25 23:49:38.900392');
INSERT INTO "resource_shares" VALUES('5b1945869efe4c7eb513a64a65bbc95b','c776c7b3e3bd4568a9f2aa514f4df050','group','e79c4953bc3f40a8946ab0f1957b116a','edit','6fe2f57d300948d98c3db02e5c030824','2026-11-25 23:49:38.900392');
CREATE TABLE revoked_tokens (
	jti CHAR(32) NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_revoked_tokens PRIMARY KEY (jti)
);
INSERT INTO "revoked_tokens" VALUES('2b8604ccd33f411c9522819c231a1183','2026-11-26 00:04:38.000000');
INSERT INTO "revoked_tokens" VALUES('255ce78ebca152faa54fa2accb87f2a1','2026-11-25 23:49:38.900392');
CREATE TABLE role_actions (
	id CHAR(32) NOT NULL, 
	role_id CHAR(32) NOT NULL, 
	service_action_id CHAR(32) NOT NULL, 
	CONSTRAINT pk_role_actions PRIMARY KEY (id), 
	CONSTRAINT fk_role_actions_role_id_roles FOREIGN KEY(role_id) REFERENCES roles (id) ON DELETE CASCADE, 
	CONSTRAINT fk_role_actions_service_action_id_service_actions FOREIGN KEY(service_action_id) REFERENCES service_actions (id) ON DELETE CASCADE, 
	CONSTRAINT uq_role_actions_role_id_service_action_id UNIQUE (role_id, service_action_id)
);
INSERT INTO "role_actions" VALUES('4d47b2bbd63f4f1a81831e5e787583f8','dff786423b4646e29d9b7021e6a658c0','35ce6315d7e247c28ff983c3ec69be33');
INSERT INTO "role_actions" VALUES('2f4e197ba4e34a9998dbc8101366c76c','91e64130ea194434a81ed5a648aeee0f','7697124afc8040d6905314b23ab854ce');
CREATE TABLE roles (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_roles PRIMARY KEY (id), 
	CONSTRAINT fk_roles_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_roles_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_roles_workspace_id_name UNIQUE (workspace_id, name)
);
INSERT INTO "roles" VALUES('dff786423b4646e29d9b7021e6a658c0','e9544e8938724102bfd2a1f7a55bd418','Press','…','6fe2f57d300948d98c3db02e5c030824','2026-11-25 23:49:38.900392');
INSERT INTO "roles" VALUES('91e64130ea194434a81ed5a648aeee0f','e9544e8938724102bfd2a1f7a55bd418','Office','…','6fe2f57d300948d98c3db02e5c030824','2026-11-25 23:49:38.900392');
CREATE TABLE service_actions (
	id CHAR(32) NOT NULL, 
	service_name TEXT NOT NULL, 
	action TEXT NOT NULL, 
	description TEXT, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_service_actions PRIMARY KEY (id), 
	CONSTRAINT uq_service_actions_service_name_action UNIQUE (service_name, action)
);
INSERT INTO "service_actions" VALUES('4e97f0922bcf43d3b1fb50f79d8dc579','notes','erase','To erase','2026-11-25 23:49:38.900392');
INSERT INTO "service_actions" VALUES('7697124afc8040d6905314b23ab854ce','notes','export','To export','2026-11-25 23:49:38.900392');
INSERT INTO "service_actions" VALUES('35ce6315d7e247c28ff983c3ec69be33','notes','publish','To publish','2026-11-25 23:49:38.900392');
CREATE TABLE service_apps (
	id CHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	service_name VARCHAR(255) NOT NULL, 
	key_hash CHAR(64) NOT NULL, 
	key_prefix VARCHAR(12) NOT NULL, 
	previous_key_hash CHAR(64), 
	previous_key_expires_at DATETIME, 
	is_active BOOLEAN DEFAULT 1 NOT NULL, 
	allowed_origins JSON NOT NULL, 
	allowed_idp_audiences JSON NOT NULL, 
	realm_id CHAR(32), 
	last_used_at DATETIME, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_service_apps PRIMARY KEY (id), 
	CONSTRAINT fk_service_apps_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_service_apps_realm_id_realms FOREIGN KEY(realm_id) REFERENCES realms (id) ON DELETE SET NULL, 
	CONSTRAINT uq_service_apps_key_hash UNIQUE (key_hash), 
	CONSTRAINT uq_service_apps_previous_key_hash UNIQUE (previous_key_hash), 
	CONSTRAINT uq_service_apps_service_name UNIQUE (service_name)
);
INSERT INTO "service_apps" VALUES('a307ba9e544843baa3c9f61916bff040','Notes','notes','c828fa0959a915ee14ad5537a1726d5052d3135472ab5bcc2f0c62fa9c64391e','sk_Ttq5****',NULL,NULL,1,'[]','[]',NULL,'2026-11-25 23:49:40.900392',NULL,'2026-11-25 23:49:34.900392','2026-11-25 23:49:34.900392');
INSERT INTO "service_apps" VALUES('129406f937bf4c0d8b0f42df2b4bc11d','Tasks','tasks','e6d514e1c6d310ccdd2c49e4a4ad39581510de67ea253ec619734cd3053b34dd','sk_qpYl****',NULL,NULL,1,'[]','[]','a2f3910af9b441daa33a965820bd5ea4',NULL,NULL,'2026-11-25 23:49:36.900392','2026-11-25 23:49:36.900392');
CREATE TABLE sign_in_memory (
	user_id CHAR(32) NOT NULL, 
	kind TEXT NOT NULL, 
	value TEXT NOT NULL, 
	first_seen DATETIME NOT NULL, 
	last_seen DATETIME NOT NULL, 
	CONSTRAINT pk_sign_in_memory PRIMARY KEY (user_id, kind, value), 
	CONSTRAINT ck_sign_in_memory_ck_sign_in_memory_kind CHECK (kind IN ('country', 'device')), 
	CONSTRAINT fk_sign_in_memory_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "sign_in_memory" VALUES('6fe2f57d300948d98c3db02e5c030824','country','AT','2026-11-25 23:49:38.900392','2026-11-25 23:49:38.900392');
CREATE TABLE social_accounts (
	id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	provider TEXT NOT NULL, 
	provider_user_id TEXT NOT NULL, 
	provider_data JSON, 
	CONSTRAINT pk_social_accounts PRIMARY KEY (id), 
	CONSTRAINT fk_social_accounts_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_social_accounts_provider_provider_user_id UNIQUE (provider, provider_user_id)
);
INSERT INTO "social_accounts" VALUES('f1da14d6bc664b86996b147f7f8524f6','6fe2f57d300948d98c3db02e5c030824','corp','sub-ada','{}');
INSERT INTO "social_accounts" VALUES('215c918ebf2049e5bfe706ea369d5064','08e93a000a7848dcbeb9d25c84b22ffa','corp','sub-grace','{}');
INSERT INTO "social_accounts" VALUES('645d0ee21bb44887bc80c46b63fe2acc','76711598b8384ff9afd6d6d6dcf01425','corp','sub-linus','{}');
INSERT INTO "social_accounts" VALUES('ba374846a55b49b286aac9f19ec88435','d10be180261845b99b0a8831d9952106','corp','sub-gone','{}');
CREATE TABLE user_roles (
	id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	role_id CHAR(32) NOT NULL, 
	assigned_by CHAR(32), 
	assigned_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_user_roles PRIMARY KEY (id), 
	CONSTRAINT fk_user_roles_assigned_by_users FOREIGN KEY(assigned_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_user_roles_role_id_roles FOREIGN KEY(role_id) REFERENCES roles (id) ON DELETE CASCADE, 
	CONSTRAINT fk_user_roles_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_user_roles_user_id_role_id UNIQUE (user_id, role_id)
);
INSERT INTO "user_roles" VALUES('090ea47e10464a0484b549e2c3f1a8dc','6fe2f57d300948d98c3db02e5c030824','91e64130ea194434a81ed5a648aeee0f','6fe2f57d300948d98c3db02e5c030824','2026-11-25 23:49:39.900392');
CREATE TABLE users (
	id CHAR(32) NOT NULL, 
	email TEXT NOT NULL, 
	name TEXT NOT NULL, 
	avatar_url TEXT, 
	is_active BOOLEAN DEFAULT 1 NOT NULL, 
	is_admin BOOLEAN DEFAULT 0 NOT NULL, 
	organization_id CHAR(32), 
	token_epoch INTEGER DEFAULT 0 NOT NULL, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT fk_users_organization_id_organizations FOREIGN KEY(organization_id) REFERENCES organizations (id) ON DELETE SET NULL, 
	CONSTRAINT uq_users_email UNIQUE (email)
);
INSERT INTO "users" VALUES('6fe2f57d300948d98c3db02e5c030824','ada@example.com','Ada Élan',NULL,1,0,'3ea8b06a9ca84463bf5653c20c09b5d2',0,'2026-11-25 23:49:16.900392','2026-11-25 23:49:38.900392');
INSERT INTO "users" VALUES('08e93a000a7848dcbeb9d25c84b22ffa','grace@example.com','Grace Élan',NULL,1,0,'3ea8b06a9ca84463bf5653c20c09b5d2',0,'2026-11-25 23:49:18.900392','2026-11-25 23:49:38.900392');
INSERT INTO "users" VALUES('76711598b8384ff9afd6d6d6dcf01425','linus@example.com','Linus Élan',NULL,1,0,'3ea8b06a9ca84463bf5653c20c09b5d2',0,'2026-11-25 23:49:20.900392','2026-11-25 23:49:38.900392');
INSERT INTO "users" VALUES('d10be180261845b99b0a8831d9952106','gone@example.com','Gone Élan',NULL,1,0,'3ea8b06a9ca84463bf5653c20c09b5d2',1,'2026-11-25 23:49:22.900392','2026-11-25 23:49:38.900392');
CREATE TABLE workspace_allowed_organizations (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	organization_id CHAR(32) NOT NULL, 
	CONSTRAINT pk_workspace_allowed_organizations PRIMARY KEY (id), 
	CONSTRAINT fk_workspace_allowed_organizations_organization_id FOREIGN KEY(organization_id) REFERENCES organizations (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_workspace_allowed_organizations_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_workspace_allowed_organizations_workspace_id_organization_id UNIQUE (workspace_id, organization_id)
);
INSERT INTO "workspace_allowed_organizations" VALUES('ba8b1d06a7bf433fbf296c4d3ac3e6f6','ab18b6e1cc5243eab85239913e1d8335','3ea8b06a9ca84463bf5653c20c09b5d2');
CREATE TABLE workspace_invitations (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	code_hash CHAR(64) NOT NULL, 
	email TEXT, 
	role TEXT NOT NULL, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	expires_at DATETIME NOT NULL, 
	accepted_by CHAR(32), 
	accepted_at DATETIME, 
	revoked_at DATETIME, 
	CONSTRAINT pk_workspace_invitations PRIMARY KEY (id), 
	CONSTRAINT ck_workspace_invitations_ck_workspace_invitations_role CHECK (role IN ('admin', 'editor', 'viewer')), 
	CONSTRAINT fk_workspace_invitations_accepted_by_users FOREIGN KEY(accepted_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_workspace_invitations_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_workspace_invitations_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_workspace_invitations_code_hash UNIQUE (code_hash)
);
CREATE TABLE workspace_memberships (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	role TEXT NOT NULL, 
	joined_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_workspace_memberships PRIMARY KEY (id), 
	CONSTRAINT ck_workspace_memberships_ck_workspace_memberships_role CHECK (role IN ('owner', 'admin', 'editor', 'viewer')), 
	CONSTRAINT fk_workspace_memberships_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_workspace_memberships_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_workspace_memberships_workspace_id_user_id UNIQUE (workspace_id, user_id)
);
INSERT INTO "workspace_memberships" VALUES('5bd871b8b89c4fdcb5fed9ee361bf362','e9544e8938724102bfd2a1f7a55bd418','6fe2f57d300948d98c3db02e5c030824','owner','2026-11-25 23:49:27.900392');
INSERT INTO "workspace_memberships" VALUES('258a8d1381a74bc198cb46c4f7760c68','ab18b6e1cc5243eab85239913e1d8335','08e93a000a7848dcbeb9d25c84b22ffa','owner','2026-11-25 23:49:29.900392');
INSERT INTO "workspace_memberships" VALUES('d04a63389d354cef812d7abcd328ec9f','e9544e8938724102bfd2a1f7a55bd418','08e93a000a7848dcbeb9d25c84b22ffa','admin','2026-11-25 23:49:30.900392');
INSERT INTO "workspace_memberships" VALUES('3c8e09ee04324b77a000a1dcd3b46c74','e9544e8938724102bfd2a1f7a55bd418','76711598b8384ff9afd6d6d6dcf01425','viewer','2026-11-25 23:49:31.900392');
INSERT INTO "workspace_memberships" VALUES('cd8ebce8b75e424bb9812be33e9d8270','e9544e8938724102bfd2a1f7a55bd418','d10be180261845b99b0a8831d9952106','editor','2026-11-25 23:49:32.900392');
CREATE TABLE workspaces (
	id CHAR(32) NOT NULL, 
	slug TEXT NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_workspaces PRIMARY KEY (id), 
	CONSTRAINT fk_workspaces_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT uq_workspaces_slug UNIQUE (slug)
);
INSERT INTO "workspaces" VALUES('e9544e8938724102bfd2a1f7a55bd418','acme','Acme · Österreich',NULL,'6fe2f57d300948d98c3db02e5c030824','2026-11-25 23:49:26.900392');
INSERT INTO "workspaces" VALUES('ab18b6e1cc5243eab85239913e1d8335','elsewhere','Acme',NULL,'08e93a000a7848dcbeb9d25c84b22ffa','2026-11-25 23:49:28.900392');
CREATE UNIQUE INDEX uq_organizations_public ON organizations (is_public) WHERE is_public;
CREATE INDEX ix_revoked_tokens_expires_at ON revoked_tokens (expires_at);
CREATE INDEX ix_service_actions_service_name ON service_actions (service_name);
CREATE INDEX ix_organization_domains_organization_id ON organization_domains (organization_id);
CREATE INDEX ix_users_organization_id ON users (organization_id);
CREATE UNIQUE INDEX uq_users_lower_email ON users (lower(email));
CREATE INDEX ix_social_accounts_user_id ON social_accounts (user_id);
CREATE INDEX ix_action_usage_user_id ON action_usage (user_id);
CREATE INDEX ix_action_usage_workspace_id ON action_usage (workspace_id);
CREATE INDEX ix_activity_logs_actor_id ON activity_logs (actor_id);
CREATE INDEX ix_activity_logs_created_at ON activity_logs (created_at);
CREATE INDEX ix_activity_logs_target_type_target_id ON activity_logs (target_type, target_id);
CREATE INDEX ix_activity_logs_workspace_id ON activity_logs (workspace_id);
CREATE INDEX ix_authorization_codes_client_app_id ON authorization_codes (client_app_id);
CREATE INDEX ix_authorization_codes_expires_at ON authorization_codes (expires_at);
CREATE INDEX ix_authorization_codes_user_id ON authorization_codes (user_id);
CREATE INDEX ix_refresh_families_client_app_id ON refresh_families (client_app_id);
CREATE INDEX ix_refresh_families_user_id ON refresh_families (user_id);
CREATE INDEX ix_refresh_families_workspace_id ON refresh_families (workspace_id);
CREATE INDEX ix_resource_permissions_owner_id ON resource_permissions (owner_id);
CREATE INDEX ix_resource_permissions_reach ON resource_permissions (workspace_id, service_name, resource_type, created_at, id);
CREATE INDEX ix_roles_workspace_id ON roles (workspace_id);
CREATE INDEX ix_service_apps_is_active ON service_apps (is_active);
CREATE INDEX ix_service_apps_realm_id ON service_apps (realm_id);
CREATE INDEX ix_workspace_allowed_organizations_organization_id ON workspace_allowed_organizations (organization_id);
CREATE INDEX ix_workspace_allowed_organizations_workspace_id ON workspace_allowed_organizations (workspace_id);
CREATE INDEX ix_workspace_invitations_workspace_id ON workspace_invitations (workspace_id);
CREATE INDEX ix_workspace_memberships_user_id ON workspace_memberships (user_id);
CREATE INDEX ix_group_memberships_user_id ON group_memberships (user_id);
CREATE INDEX ix_group_roles_group_id ON group_roles (group_id);
CREATE INDEX ix_group_roles_role_id ON group_roles (role_id);
CREATE INDEX ix_refresh_tokens_expires_at ON refresh_tokens (expires_at);
CREATE INDEX ix_refresh_tokens_family_id ON refresh_tokens (family_id);
CREATE INDEX ix_resource_shares_grantee_type_grantee_id ON resource_shares (grantee_type, grantee_id);
CREATE INDEX ix_role_actions_role_id ON role_actions (role_id);
CREATE INDEX ix_role_actions_service_action_id ON role_actions (service_action_id);
CREATE INDEX ix_user_roles_role_id ON user_roles (role_id);
CREATE INDEX ix_user_roles_user_id ON user_roles (user_id);
COMMIT;
